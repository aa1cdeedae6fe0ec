"""The read-only model files of a Space, in a cache that can be written."""

import os
from pathlib import Path

import pytest

from ltx_studio.models import preloaded
from ltx_studio.models.files import ModelFile
from ltx_studio.models.hub_cache import HubCache
from ltx_studio.settings import Settings

COMMIT, ETAG = "c" * 40, "e" * 64
FILE = ModelFile("checkpoints", "model.safetensors", repo="org/model", path="sub/model.safetensors")


def preload(cache: Path) -> Path:
    """Make a cache as Hugging Face's tools leave it, to be read only; return the blob."""
    repo = cache / "models--org--model"
    blob, pointer, ref = repo / "blobs" / ETAG, repo / "snapshots" / COMMIT / FILE.path, repo / "refs" / "main"
    for path in (blob, pointer, ref):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(b"weights")
    blob.chmod(0o444)
    pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    ref.write_text(COMMIT)
    return blob


@pytest.mark.parametrize("links", ["hard", "symbolic"])
def test_a_preloaded_file_is_in_the_writable_cache(tmp_path: Path, links: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = preload(tmp_path / "preloaded")
    if links == "symbolic":  # as where the file is another user's

        def refused(self: Path, target: Path) -> None:
            raise PermissionError

        monkeypatch.setattr(Path, "hardlink_to", refused)
    target = tmp_path / "hub"

    assert preloaded.mirror(tmp_path / "preloaded", target) == 1

    found = HubCache(Settings(home=tmp_path, hub_cache=target)).current(FILE)
    assert found is not None
    assert found.read_bytes() == b"weights"
    assert (found.resolve().stat().st_ino == blob.stat().st_ino) is True
    assert preloaded.mirror(tmp_path / "preloaded", target) == 0


def test_what_is_deleted_in_the_mirror_stays_preloaded(tmp_path: Path) -> None:
    blob = preload(tmp_path / "preloaded")
    preloaded.mirror(tmp_path / "preloaded", tmp_path / "hub")

    (tmp_path / "hub" / "models--org--model" / "blobs" / ETAG).unlink()

    assert blob.read_bytes() == b"weights"


def test_a_newer_reference_of_the_writable_cache_stays(tmp_path: Path) -> None:
    preload(tmp_path / "preloaded")
    ref = tmp_path / "hub" / "models--org--model" / "refs" / "main"
    ref.parent.mkdir(parents=True)
    ref.write_text("d" * 40)

    preloaded.mirror(tmp_path / "preloaded", tmp_path / "hub")

    assert ref.read_text() == "d" * 40


def test_a_cache_without_links_is_mirrored_too(tmp_path: Path) -> None:
    pointer = tmp_path / "preloaded" / "models--org--model" / "snapshots" / COMMIT / "model.safetensors"
    pointer.parent.mkdir(parents=True)
    pointer.write_bytes(b"weights")

    assert preloaded.mirror(tmp_path / "preloaded", tmp_path / "hub") == 1

    copy = tmp_path / "hub" / pointer.relative_to(tmp_path / "preloaded")
    assert copy.read_bytes() == b"weights"


def test_no_preloaded_files_is_no_error(tmp_path: Path) -> None:
    assert preloaded.mirror(tmp_path / "nowhere", tmp_path / "hub") == 0


@pytest.mark.parametrize("part", ["", "models--org--model", "models--org--model/blobs"])
def test_a_space_uses_a_mirror_if_a_part_of_the_cache_is_read_only(
    tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    preload(tmp_path / "preloaded")
    settings, closed = Settings(home=tmp_path / "home", hub_cache=tmp_path / "preloaded"), tmp_path / "preloaded" / part
    assert preloaded.with_writable_cache(settings) == settings

    monkeypatch.setattr("os.access", lambda path, _: Path(path) != closed)  # root may write everywhere
    changed = preloaded.with_writable_cache(settings)

    assert changed.hub_cache == settings.home / "hub"
    assert HubCache(changed).current(FILE) is not None


def test_a_space_without_preloaded_files_keeps_its_cache(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", hub_cache=tmp_path / "nowhere")

    assert preloaded.with_writable_cache(settings) == settings
