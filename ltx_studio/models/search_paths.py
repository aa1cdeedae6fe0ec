"""Places where model files may already be: other ComfyUIs, their ``extra_model_paths.yaml``, folders that a user names.

Only reads; nothing there is ever changed.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from ltx_studio.models.files import ModelFile, is_file
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

EXTRA_PATHS = "extra_model_paths.yaml"
_OLD_NAMES: Mapping[str, tuple[str, ...]] = {"text_encoders": ("clip",), "diffusion_models": ("unet",)}
"""Former names of ComfyUI's folders, which it still reads."""

MOST_LOOKED_AT, DEEPEST = 20_000, 4
"""Limits on the files and levels of subfolders searched for a file of the same name."""

_YAML = (".yaml", ".yml")

Roots = Mapping[str, tuple[Path, ...]]


def places(settings: Settings) -> list[Path]:
    """Return the folders and ``.yaml`` files that are searched."""
    return [*([settings.comfy_dir] if settings.comfy_dir else []), *settings.model_dirs]


def candidates(file: ModelFile, settings: Settings) -> Iterator[Path]:
    """Yield the possible paths of `file` in those places; most of these paths do not exist."""
    for place in places(settings):
        yield from _within(file, place)


def namesakes(file: ModelFile, settings: Settings) -> Iterator[Path]:
    """Yield the file of that name in another subfolder or letter case; nothing if there are several.

    Workflows name files as on their author's disk: ``LTX\\Base.safetensors`` where others have
    ``base.safetensors``.
    """
    wanted = PurePosixPath(file.name).name.casefold()
    found: dict[Path, Path] = {}
    for path in files_of(file.folder, settings):
        if path.name.casefold() == wanted and path != settings.models_dir / file.folder / file.name and is_file(path):
            found.setdefault(path.resolve(), path)
    if len(found) == 1:
        yield from found.values()


def files_of(folder: str, settings: Settings) -> Iterator[Path]:
    """Yield the files of one of ComfyUI's folders, the studio's own first; not more than `MOST_LOOKED_AT`."""
    yield from islice(_files_below(roots_of(folder, settings)), MOST_LOOKED_AT)


def roots_of(folder: str, settings: Settings) -> list[Path]:
    """Return the folders that hold files of one of ComfyUI's folders, such as ``loras``; some may not exist."""
    roots = [settings.models_dir / folder]
    for place in places(settings):
        roots += _roots(folder, place)
    return list(dict.fromkeys(roots))


def _files_below(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for at, folders, names in os.walk(root):
            if len(Path(at).relative_to(root).parts) >= DEEPEST:
                folders.clear()
            yield from (Path(at, name) for name in sorted(names))


def _roots(folder: str, place: Path) -> Iterator[Path]:
    """Yield the folders in a place that hold files of one kind."""
    folders = (folder, *_OLD_NAMES.get(folder, ()))
    paths_file = place if place.suffix.lower() in _YAML else place / EXTRA_PATHS
    if place != paths_file:
        yield from (models / folder for models in (place / "models", place) for folder in folders)
    if is_file(paths_file):
        known = _read(paths_file, paths_file.stat().st_mtime_ns)
        yield from (root for folder in folders for root in known.get(folder, ()))


def _within(file: ModelFile, place: Path) -> Iterator[Path]:
    if place.suffix.lower() in _YAML:
        yield from _by_paths_file(file, place)
        return
    for models in (place / "models", place):
        for folder in (file.folder, *_OLD_NAMES.get(file.folder, ())):
            yield models / folder / file.name
        yield models / file.name
        if file.path:
            yield models / file.path
    yield from _by_paths_file(file, place / EXTRA_PATHS)


def _by_paths_file(file: ModelFile, path: Path) -> Iterator[Path]:
    if not is_file(path):
        return
    roots = _read(path, path.stat().st_mtime_ns)
    for folder in (file.folder, *_OLD_NAMES.get(file.folder, ())):
        yield from (root / file.name for root in roots.get(folder, ()))


@lru_cache(maxsize=16)
def _read(path: Path, changed: int) -> Roots:  # noqa: ARG001
    """Return folder → paths, as ComfyUI's `utils.extra_config` reads the file."""
    import yaml

    try:
        sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    except Exception as error:  # yaml's constructors may raise anything
        log.warning("skipping %s, which cannot be read: %s", path, error)
        return {}
    found: dict[str, tuple[Path, ...]] = {}
    for section in sections.values() if isinstance(sections, dict) else ():
        for folder, roots in _section(section, path.parent):
            found[folder] = (*found.get(folder, ()), *roots)
    return found


def _section(section: Any, beside: Path) -> Iterator[tuple[str, tuple[Path, ...]]]:
    if not isinstance(section, dict):
        return
    base = section.get("base_path")
    root = beside / os.path.expanduser(os.path.expandvars(base)) if isinstance(base, str) and base else beside  # noqa: PTH111
    for folder, lines in section.items():
        if folder not in ("base_path", "is_default") and isinstance(lines, str):
            yield str(folder), tuple(root / line for line in lines.splitlines() if line)
