"""The command line in this process, where ComfyUI is warm."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.cli.commands import main
from ltx_studio.engine import Engine
from ltx_studio.settings import Settings, get_settings
from tests.support import home_apart


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
    set_up: Settings,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Terminal:
    apart = home_apart(set_up, tmp_path / "home")
    monkeypatch.setenv("LTX_STUDIO_HOME", str(apart.home))
    monkeypatch.setenv("LTX_STUDIO_COMFY_DIR", str(apart.comfy_dir))
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
