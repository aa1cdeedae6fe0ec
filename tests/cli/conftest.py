"""The command line in this process, where ComfyUI is warm."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.cli.commands import main
from ltx_studio.engine import Engine
from ltx_studio.graph.definitions import Definitions
from ltx_studio.settings import Settings, get_settings


class Terminal:
    """Runs commands in a home of their own."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings, self._capsys = settings, capsys

    def __call__(self, *arguments: str, rc: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, self.err = self._capsys.readouterr()
        assert ended.value.code == rc, self.err
        return out

    def json(self, *arguments: str, rc: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", rc=rc))


@pytest.fixture
def terminal(
    settings: Settings,
    engine: Engine,
    definitions: Definitions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Terminal:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("models", "comfyui"):
        (home / name).symlink_to(settings.home / name)
    monkeypatch.setenv("LTX_STUDIO_HOME", str(home))
    monkeypatch.setenv("LTX_STUDIO_COMFY_DIR", str(settings.comfy_dir))
    get_settings.cache_clear()
    return Terminal(get_settings(), capsys)


@pytest.fixture(autouse=True)
def other_settings_afterwards() -> Iterator[None]:
    yield
    get_settings.cache_clear()


@pytest.fixture(autouse=True)
def same_umask_afterwards() -> Iterator[None]:
    """Commands in this process make it private."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
