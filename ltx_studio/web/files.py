"""Files that the page serves, and the assets that it is made of."""

import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from ltx_studio.fileio import whole


def private_copy(path: Path) -> str:
    """Return the path of a copy in Gradio's cache, in a folder named by its contents: visitors could guess a date."""
    return str(save_file_to_cache(path, get_upload_folder()))


def named_copy(path: Path, name: str) -> str:
    """Return a private copy under another name, which a browser uses for the download."""
    copy = Path(private_copy(path))
    named = copy.with_name(name)
    if not named.exists():
        with whole(named) as partial:
            try:
                os.link(copy, partial)
            except OSError:  # a file system without links
                shutil.copyfile(copy, partial)
    return str(named)


def made(name: str, write: Callable[[Path], Path]) -> str:
    """Return a private copy of a file that `write` creates at a given path, which ends in `name`."""
    with tempfile.TemporaryDirectory() as folder:
        return private_copy(write(Path(folder) / name))


def address(path: Path) -> str:
    """Return the URL of a private copy of a file, relative to the page."""
    return f"gradio_api/file={quote(private_copy(path))}"


def named_address(path: Path, name: str) -> str:
    """Return the URL of a private copy under another name. Gradio sends a file's own name, which browsers prefer."""
    return f"gradio_api/file={quote(named_copy(path, name))}"


def asset(name: str) -> str:
    """Return the text of a file in ``assets``."""
    return (files("ltx_studio.web") / "assets" / name).read_text(encoding="utf-8")
