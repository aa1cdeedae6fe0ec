"""Install the pocket model's files where ComfyUI finds them. They come with the package; `train` trains them."""

import os
import shutil
from pathlib import Path

from ltx_studio.pocket import files
from ltx_studio.settings import Settings


def install(settings: Settings) -> None:
    """Write every file atomically, then the manifest."""
    for name in files.ALL:
        _put(files.SHIPPED / name, settings.models_dir / name)
    files.write_manifest(settings)


def _put(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        shutil.copyfile(source, partial)
        partial.chmod(0o644)  # another user's ComfyUI may share the folder
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
