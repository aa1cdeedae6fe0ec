"""Reading a workflow from whatever carries one: an editor-format file, an API-format file, a video."""

import json
import stat
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.api import ApiGraph, check_graph
from ltx_studio.graph.definitions import Definitions, cached_definitions
from ltx_studio.graph.editor import is_editor_format, to_api
from ltx_studio.graph.form import Field, form_of
from ltx_studio.graph.safety import check_known
from ltx_studio.media.open import tags

VIDEOS = {".mp4", ".mov", ".webm", ".mkv"}
RECIPE_TAG = "ltx_studio"
"""Where a take carries its recipe, as JSON; its ``graph`` is what really ran, own nodes included."""

_TAGS = ("prompt", "workflow")
"""What ComfyUI writes into a video: the API-format graph that ran, and the editor's workflow that it came from."""


def read_workflow(path: Path, definitions: Definitions) -> ApiGraph:
    """The API-format graph of a file.

    Raises:
        WorkflowError: The file cannot be read, carries no workflow, or one that this ComfyUI cannot run.
    """
    data = _from_video(path) if path.suffix.lower() in VIDEOS else _parse(_text_of(path), path)
    if is_editor_format(data):
        return to_api(data, definitions)
    graph = data.get("prompt", data) if isinstance(data, dict) else data  # what one would POST to ComfyUI's server
    check_graph(graph)
    return dict(graph)


def read_with_form(path: Path, snapshot: Path) -> tuple[ApiGraph, list[Field]]:
    """Read a workflow and its form together, so that no file is read twice.

    Meant for `reading.read`: in its process, the definitions stay loaded from one file to the next.

    Args:
        path: See `read_workflow`.
        snapshot: The file of the node definitions.

    Raises:
        WorkflowError: See `read_workflow`, or its node classes are missing.
        SetupError: There are no definitions.
    """
    definitions = cached_definitions(snapshot)
    graph = read_workflow(path, definitions)
    check_known(graph, definitions)
    return graph, form_of(graph, definitions)


def _text_of(path: Path) -> str:
    most = limits.WORKFLOW_FILE.most
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise WorkflowError(f"{path} is not a regular file.", "Check the path.")
        limits.WORKFLOW_FILE.check(state.st_size, path.name, error=WorkflowError)
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise WorkflowError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None
    except ValueError as error:  # a zero within
        raise WorkflowError(f"{str(path)!r} is not a valid path: {error}.", "Check the path.") from None
    limits.WORKFLOW_FILE.check(len(content), path.name, error=WorkflowError)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise WorkflowError(f"{path.name} is not a text file.", "Give a workflow's .json file, or a video.") from None


def _from_video(path: Path) -> Any:
    import av

    try:
        carried = tags(path)
    except (av.error.FFmpegError, OSError) as error:
        raise WorkflowError(f"{path} cannot be read as a video: {error.strerror}.", "Check the file.") from None
    if RECIPE_TAG in carried:
        recipe = _parse(carried[RECIPE_TAG], path)
        return recipe.get("graph") if isinstance(recipe, dict) else None
    for tag in _TAGS:
        if tag in carried:
            return _parse(carried[tag], path)
    raise WorkflowError(
        f"{path.name} carries no workflow.", "Use the file as ComfyUI saved it: other programs drop what it carries."
    )


def _parse(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WorkflowError(f"{path.name} holds no JSON: {error}.", "Export the workflow again from ComfyUI.") from None
