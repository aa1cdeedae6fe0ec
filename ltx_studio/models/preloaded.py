"""Model files that a Hugging Face Space downloaded during its build, which are read-only."""

import contextlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

from ltx_studio.models.hub_cache import HubCache
from ltx_studio.settings import Settings


def with_writable_cache(settings: Settings) -> Settings:
    """Return the settings with a writable Hugging Face cache.

    That is the usual cache or, if it is read-only, a mirror of it in the studio's folder.

    Raises:
        SetupError: The cache is a file.
        OSError: The studio's folder cannot be written.
    """
    cache = HubCache(settings).folder
    if not cache.is_dir() or _is_writable(cache):
        return settings
    mirrored = settings.home / "hub"
    mirror(cache, mirrored)
    return replace(settings, hub_cache=mirrored)


def _is_writable(cache: Path) -> bool:
    folders = [cache, *(part for repo in cache.glob("models--*") for part in (repo, *repo.glob("*/")))]
    return all(os.access(folder, os.W_OK) for folder in folders)


def mirror(source: Path, target: Path) -> int:
    """Make the files of a read-only Hugging Face cache part of a writable one, and return how many were added.

    A blob becomes a hard link where the system allows it, else a symbolic link: no file is copied, and what is deleted
    in `target` stays in `source`. What `target` has already stays as it is.

    Args:
        source: The read-only cache.
        target: The writable one; it need not exist.

    Raises:
        OSError: `target` cannot be written.
    """
    added = 0
    for repo in sorted(source.glob("models--*")):
        for pointer in sorted(repo.glob("snapshots/*/**/*")):
            if pointer.is_file():
                added += _add(pointer, repo, target / repo.name)
        for ref in sorted(repo.glob("refs/**/*")):
            copy = target / repo.name / ref.relative_to(repo)
            if ref.is_file() and not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ref, copy)
    return added


def _add(pointer: Path, repo: Path, target: Path) -> bool:
    """Add one file of a snapshot, with its blob if the snapshot links to one; return whether it was new."""
    copy = target / pointer.relative_to(repo)
    if os.path.lexists(copy):
        return False
    copy.parent.mkdir(parents=True, exist_ok=True)
    blob = pointer.resolve()
    if blob.parent != (repo / "blobs").resolve():  # a cache without links has the file itself here
        _link(blob, copy)
        return True
    kept = target / "blobs" / blob.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(kept):
        _link(blob, kept)
    copy.symlink_to(os.path.relpath(kept, copy.parent))
    return True


def _link(file: Path, to: Path) -> None:
    """Make a hard link. Linux refuses it for another user's read-only file, and no system makes one across disks."""
    with contextlib.suppress(OSError):
        to.hardlink_to(file)
        return
    to.symlink_to(file)
