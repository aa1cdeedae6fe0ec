"""The location of each model file, and the links by which ComfyUI finds it. The Hugging Face cache is the store.

The studio's ``models/<folder>/<name>`` are links, never copies: into the cache, or to what the user already has.
"""

import itertools
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import ModelMissingError, Remedy, RequestError, SetupError, StudioError
from ltx_studio.models import search_paths
from ltx_studio.models.files import Identity, ModelFile, identity, is_file
from ltx_studio.models.hub_cache import HubCache, relink
from ltx_studio.models.registry import Registry, get_registry
from ltx_studio.safetensors_header import flaw
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

NOTHING: frozenset[Identity] = frozenset()
DAMAGED = ".damaged"
"""Suffix of a file that is moved aside; ComfyUI does not list it."""

FetchAdvice = Callable[[list[ModelFile], Registry], Advice]
"""Returns advice on how to get missing files."""


class Origin(StrEnum):
    """The owner of a file."""

    STUDIO = "studio"
    """In the studio's own folder: built at set-up, or put there by the user."""

    CACHE = "cache"
    FOLDER = "folder"
    """In another folder, of another program or the user."""


@dataclass(frozen=True, slots=True)
class Found:
    """A complete file: path, origin, bytes."""

    path: Path
    origin: Origin
    size: int


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of `Store.refresh`: keys of the files whose link was made, mended, removed, correct, or failed."""

    linked: tuple[str, ...]
    mended: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    skipped: tuple[str, ...]


class Store:
    """The model files of a studio."""

    def __init__(self, settings: Settings, registry: Registry | None = None, token: str | None = None) -> None:
        self.settings = settings
        self.registry = registry or get_registry(settings)
        self.token = token
        self.cache = HubCache(settings)

    def path(self, file: ModelFile) -> Path:
        """Return the path where ComfyUI looks for a file."""
        return self.settings.models_dir / file.folder / file.name

    def find(self, file: ModelFile, distrust: Collection[Identity] = NOTHING) -> Found | None:
        """Return the complete file, or None; incomplete copies and those identified in `distrust` do not count."""
        for path, origin in self.copies(file):
            if not self.flaw(path, file) and (not distrust or identity(path) not in distrust):
                return Found(path, origin, path.stat().st_size)
        return None

    def flawed(self, file: ModelFile) -> list[tuple[Path, str]]:
        """Return the copies that are not whole, each with what is wrong with it."""
        wrong = ((path, self.flaw(path, file)) for path, _ in self.copies(file))
        return [(path, reason) for path, reason in wrong if reason]

    def flaw(self, path: Path, file: ModelFile) -> str:
        """Return what is wrong with a copy, judging by its header and size; empty if it is whole."""
        wrong = flaw(path)
        if wrong or not file.exact:
            return wrong
        size = path.stat().st_size
        return "" if size == file.size else f"has {size:,} bytes, not {file.size:,}"

    def link(self, file: ModelFile, found: Found, *, set_aside: bool = False) -> Path:
        """Link the file so that ComfyUI finds it; return the path of the link.

        With `set_aside`, a damaged file in the way is renamed.

        Raises:
            RequestError: The name leads out of the models folders, or a file is in the way.
            SetupError: Links cannot be made there.
        """
        path = self.path(file)
        self._stay_inside(path, file)
        if path == found.path or _leads_to(path, found.path):
            return path
        try:
            self._clear(path, file, set_aside=set_aside)
            path.parent.mkdir(parents=True, exist_ok=True)
            relink(path, found.path)
        except OSError as error:
            raise SetupError(
                f"{path} cannot be linked: {error.strerror}.",
                "Check that the folder is writable and its file system supports symbolic links.",
            ) from None
        return path

    def check_way(self, file: ModelFile, *, set_aside: bool) -> None:
        """Refuse, before the fetch, a file for which no link could be made.

        Raises:
            RequestError: The name leads out of the models folders, or a file is in the way.
        """
        self._stay_inside(self.path(file), file)
        if not set_aside:
            self._clear(self.path(file), file, set_aside=False)

    def require(
        self,
        graph: Mapping[str, Mapping[str, Any]],
        advice: FetchAdvice | None = None,
        pocket: Do = Do.USE_POCKET,
    ) -> None:
        """Make every model file that a graph names ready for ComfyUI; does not use the network.

        Args:
            graph: API format.
            advice: How to get missing files.
            pocket: The suggested alternative.

        Raises:
            ModelMissingError: Files are missing.
            RequestError: A name leads out of the models folders, or is not a safetensors file.
        """
        missing = []
        for file in self.registry.needs(graph):
            found = self.find(file)
            if found is None:
                missing.append(file)
            else:
                self.link(file, found)
        if missing:
            raise self.missing(missing, advice, pocket)

    def missing(
        self, files: list[ModelFile], advice: FetchAdvice | None = None, pocket: Do = Do.USE_POCKET
    ) -> ModelMissingError:
        """Return the error for missing files; see `require`."""
        names = ", ".join(file.name for file in files)
        said = f"The model file {names} is missing." if len(files) == 1 else f"Model files are missing: {names}."
        flaws = [f"{path} {reason}" for file in files for path, reason in self.flawed(file)]
        said += f" ({'; '.join(flaws)})" if flaws else ""
        can_fetch = all(file.repo for file in files)
        hint, advised = self._remedy(files, advice, pocket)
        return ModelMissingError(
            said,
            hint,
            advice=advised,
            where=files[0].key,
            remedies=[Remedy.FETCH, Remedy.RETRY] if can_fetch else [],
            files=[file.known_key for file in files],
        )

    def _remedy(self, files: list[ModelFile], advice: FetchAdvice | None, pocket: Do) -> tuple[str, Advice]:
        unknown = next((file for file in files if not file.repo and not file.built), None)
        if unknown is not None:
            place = str(self.path(unknown).parent)
            return (
                f"Put {unknown.name} into {place}, or add its repository to models.toml. Or use the pocket preview.",
                replace(Advice.to(Do.PLACE_MODEL, file=unknown.name, place=place), otherwise=pocket),
            )
        if any(file.built for file in files):
            return "Run the set-up to create it.", Advice.to(Do.SET_UP_POCKET)
        found = advice(files, self.registry) if advice is not None else fetch_advice(files)
        return "Download them, or use the pocket preview.", replace(found, otherwise=pocket)

    def refresh(self) -> Refreshed:
        """Make the links of all known files again where they are missing, wrong or dangling."""
        done: dict[str, list[str]] = {"linked": [], "mended": [], "removed": [], "unchanged": [], "skipped": []}
        for file in self.registry.files.values():
            path, found = self.path(file), self.find(file)
            was_there = os.path.lexists(path)
            if found is None:
                if self.is_our_link(file) and not os.path.exists(path.resolve()):  # noqa: PTH110  (never raises)
                    try:
                        path.unlink()
                    except OSError as error:
                        done["skipped"].append(f"{file.key}: {error.strerror}")
                        continue
                    done["removed"].append(file.key)
            elif path == found.path or _leads_to(path, found.path):
                done["unchanged"].append(file.key)
            else:
                try:
                    self.link(file, found)
                except StudioError as error:
                    log.warning("%s", error.message)
                    done["skipped"].append(f"{file.key}: {error.message}")
                    continue
                done["mended" if was_there else "linked"].append(file.key)
        return Refreshed(**{name: tuple(keys) for name, keys in done.items()})

    def copies(self, file: ModelFile) -> Iterator[tuple[Path, Origin]]:
        """Yield every readable copy once, whole or not, best first."""
        seen: set[Path] = set()
        for path, origin in self._all_copies(file):
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield path, origin

    def is_expected(self, file: ModelFile) -> bool:
        """Return whether any trace of the file exists: a copy, whole or not, or a link that may dangle."""
        something = os.path.lexists(self.path(file)) or any(os.path.lexists(path) for path in self.cache.pointers(file))
        return something or next(self.copies(file), None) is not None

    def _all_copies(self, file: ModelFile) -> Iterator[tuple[Path, Origin]]:
        own = self.path(file)
        counts = is_file(own) and self._is_inside(own)
        from_cache = counts and self._leads_into_the_cache(own)
        if counts and not from_cache:
            yield own, Origin.FOLDER if own.is_symlink() else Origin.STUDIO
        for pointer in self.cache.pointers(file):
            if is_file(pointer) and self._is_the_pinned_one(pointer, file):
                yield pointer, Origin.CACHE
        if from_cache and not file.repo:
            yield own, Origin.CACHE
        for path in search_paths.candidates(file, self.settings):
            if is_file(path):
                yield path, Origin.FOLDER
        for path in search_paths.namesakes(file, self.settings):
            yield path, Origin.FOLDER

    def is_our_link(self, file: ModelFile) -> bool:
        """Return whether the entry in the studio's folder is a link that we made, or would make, not the user's."""
        path = self.path(file)
        if not path.is_symlink() or not self._is_inside(path):
            return False
        target = Path(os.path.normpath(path.parent / path.readlink()))
        return target.is_relative_to(self.cache.folder) or target in search_paths.candidates(file, self.settings)

    def _clear(self, path: Path, file: ModelFile, *, set_aside: bool) -> None:
        """Move the file in the way of a link aside, or refuse; other programs' files are never moved."""
        if not os.path.lexists(path) or path.is_symlink():
            return
        wrong = self.flaw(path, file) or "is a different file"
        if not set_aside or not path.parent.resolve().is_relative_to(self.settings.models_dir.resolve()):
            raise RequestError(
                f"{path} is in the way: it {wrong}.",
                "Delete it, or repair the model files, which moves it aside.",
                advice=Advice.to(Do.MOVE_ASIDE),
            )
        names = (path.with_name(f"{path.name}{DAMAGED}{number or ''}") for number in itertools.count())
        aside = next(name for name in names if not os.path.lexists(name))
        log.warning("%s %s; it is now %s", path, wrong, path.replace(aside).name)

    def _leads_into_the_cache(self, path: Path) -> bool:
        return path.is_symlink() and self.cache.folder.resolve() in path.resolve().parents

    def _is_the_pinned_one(self, pointer: Path, file: ModelFile) -> bool:
        """Return whether a cache pointer leads to the known contents; blobs are named by their hash."""
        name = pointer.readlink().name if pointer.is_symlink() else ""
        return not (file.sha256 and len(name) == len(file.sha256)) or name == file.sha256

    def _is_inside(self, path: Path) -> bool:
        """Return whether no link within the models folder leads a path out of it; the folder itself may be a link."""
        folder = self.settings.models_dir / path.relative_to(self.settings.models_dir).parts[0]
        try:
            return path.parent.resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError):  # a cycle of links
            return False

    def _stay_inside(self, path: Path, file: ModelFile) -> None:
        if not self._is_inside(path):
            raise RequestError(
                f"{file.name} would leave the models folder: {path.parent} leads out of it.",
                "Choose another name for the file, or remove that link.",
            )


def _leads_to(path: Path, target: Path) -> bool:
    return path.is_symlink() and path.readlink() == target


def by_key(files: Iterable[ModelFile]) -> list[ModelFile]:
    """Return each file once, in order."""
    return list({file.key: file for file in files}.values())


def fetch_advice(files: list[ModelFile]) -> Advice:  # noqa: ARG001  (the error names them)
    """Return the advice to fetch files one by one."""
    return Advice.to(Do.FETCH_MODELS)
