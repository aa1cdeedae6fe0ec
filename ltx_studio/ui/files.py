"""Files that the page hands out."""

from pathlib import Path

from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder


def private_copy(path: Path) -> str:
    """A copy in Gradio's cache, in a folder named by its contents: no visitor can guess it, as one could a date."""
    return str(save_file_to_cache(path, get_upload_folder()))
