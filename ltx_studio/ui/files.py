"""Files that the page hands out, and those that it is made of."""

import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder


def private_copy(path: Path) -> str:
    """A copy in Gradio's cache, in a folder named by its contents: no visitor can guess it, as one could a date."""
    return str(save_file_to_cache(path, get_upload_folder()))


def made(name: str, write: Callable[[Path], Path]) -> str:
    """The same of a file that `write` makes at the path that it is given, which ends in `name`."""
    with tempfile.TemporaryDirectory() as folder:
        return private_copy(write(Path(folder) / name))


def address(path: Path) -> str:
    """Where a visitor's browser finds a private copy of a file, relative to the page."""
    return f"gradio_api/file={quote(private_copy(path))}"


def asset(name: str) -> str:
    """The text of a file in ``assets``."""
    return (files("ltx_studio.ui") / "assets" / name).read_text(encoding="utf-8")
