"""A download plan, made before anything is fetched and without network access."""

import contextlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltx_studio.models.download_records import DownloadRecords
from ltx_studio.models.files import ModelFile, is_file
from ltx_studio.models.store import Store, by_key


@dataclass(frozen=True, slots=True)
class Planned:
    """A file in a plan.

    Attributes:
        size: Bytes of the file if present, otherwise the registry's figure; 0 if unknown.
        path: Its path; None if it is missing.
        partial: Bytes left by an interrupted fetch, which the next one resumes.
        flaw: What is wrong with an unusable copy; empty if there is none.
    """

    file: ModelFile
    size: int
    path: Path | None
    partial: int
    flaw: str = ""

    @property
    def present(self) -> bool:
        return self.path is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the data for JSON."""
        return {
            "name": self.file.name,
            "folder": self.file.folder,
            "repo": self.file.repo,
            "bytes": self.size,
            "exact": self.present or self.file.exact,
            "present": self.present,
            "partial_bytes": self.partial,
            "path": str(self.path) if self.path else None,
            "flaw": self.flaw,
            "gated": self.file.gated,
            "licence": self.file.licence,
            "use": self.file.use,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned files, which of them are missing, and the disk that they go to."""

    files: tuple[Planned, ...]
    disk: Path
    free_bytes: int

    @property
    def present_bytes(self) -> int:
        """Return the bytes that are present, including interrupted fetches."""
        return sum(planned.size if planned.present else min(planned.partial, planned.size) for planned in self.files)

    @property
    def total_bytes(self) -> int:
        return sum(planned.size for planned in self.files)

    @property
    def missing_bytes(self) -> int:
        return self.total_bytes - self.present_bytes

    @property
    def of_unknown_size(self) -> int:
        """Return the number of missing files of unknown size; the byte counts leave them out."""
        return sum(not planned.size for planned in self.missing if planned.file.repo)

    @property
    def fits(self) -> bool:
        return self.missing_bytes <= self.free_bytes

    @property
    def missing(self) -> tuple[Planned, ...]:
        return tuple(planned for planned in self.files if not planned.present)

    @property
    def to_place(self) -> tuple[Planned, ...]:
        """Return the missing files that have no source, so that the user must provide them."""
        return tuple(planned for planned in self.missing if not planned.file.repo and not planned.file.built)

    def as_dict(self) -> dict[str, Any]:
        """Return the data for JSON."""
        return {
            "files": [planned.as_dict() for planned in self.files],
            "missing_bytes": self.missing_bytes,
            "present_bytes": self.present_bytes,
            "total_bytes": self.total_bytes,
            "free_bytes": self.free_bytes,
            "disk": str(self.disk),
            "fits": self.fits,
        }


def make_plan(files: Iterable[ModelFile], store: Store) -> Plan:
    """Return the plan for `files`, with what is present of them."""
    cache, ledger = store.cache.folder, DownloadRecords(store.settings, store.cache)
    return Plan(tuple(_planned(file, store, ledger) for file in by_key(files)), cache, free_bytes(cache))


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write where `folder` is or would be made."""
    while folder != folder.parent:
        with contextlib.suppress(OSError):
            return shutil.disk_usage(folder).free
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _planned(file: ModelFile, store: Store, ledger: DownloadRecords) -> Planned:
    found = store.find(file)
    if found is not None:
        return Planned(file, found.size, found.path, 0)
    etags = {file.sha256, *(entry.etag for entry in ledger.of(file))} - {""} if file.repo else set()
    partials = [store.cache.partial(file.repo, etag) for etag in etags]
    partial = max((path.stat().st_size for path in partials if is_file(path)), default=0)
    flaw = next((f"{path} {reason}" for path, reason in store.flawed(file)), "")
    return Planned(file, file.size, None, partial, flaw)
