"""Read a workflow from any file that contains one: editor format, API format, a picture, a sound, a video."""

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ltx_studio import limits
from ltx_studio.advice import Note
from ltx_studio.editor_format.app_mode import chosen_inputs
from ltx_studio.editor_format.convert import is_editor_format, to_api
from ltx_studio.errors import WorkflowError
from ltx_studio.graph.compatibility import fit_to
from ltx_studio.graph.definitions import Definitions, cached_definitions
from ltx_studio.graph.form import Field, form_of, others_of
from ltx_studio.graph.form_order import with_chosen
from ltx_studio.graph.graph import ApiGraph, check_graph
from ltx_studio.graph.missing_nodes import MissingNodesError
from ltx_studio.graph.safety import check_known
from ltx_studio.graph.validate import problems
from ltx_studio.graph.values import quoted, shown
from ltx_studio.text.encodings import why_no_json
from ltx_studio.workflow_files.embedded_text import HEAD, carrier_of, media_texts, ordered, picture_texts, text_of
from ltx_studio.workflow_files.envelopes import find_workflow, foreign_program, is_api_format, tidy, workflows_in_list

VIDEOS = {".mp4", ".mov", ".webm", ".mkv"}
RECIPE_TAG = "ltx_studio"
"""Tag in which a take stores its recipe as JSON; its ``graph`` is what actually ran, own nodes included."""

_TAGS = (RECIPE_TAG, "prompt", "workflow", "comment", "usercomment", "description")
"""Tags that are searched first for a workflow: a take's recipe, then the executed graph and its drawing, as
ComfyUI writes them; then those in which VideoHelperSuite and others store both."""

_SETTINGS_OF_OTHERS = ("parameters", "sd-metadata", "invokeai_metadata", "invokeai_graph", "fooocus_scheme")
_OF_THE_FILE = {"language", "handler_name", "vendor_id", "major_brand", "minor_version", "compatible_brands", "encoder"}
_MOST_NAMED = 8
_MOST_PROBLEMS = 20
_EXPORT = "Save it again in ComfyUI's editor: File, Export."


def read_workflow(path: Path, definitions: Definitions) -> ApiGraph:
    """Return the API-format graph of a file, unchanged.

    Raises:
        WorkflowError: The file cannot be read, contains no workflow, or one that this ComfyUI cannot run.
    """
    return _graph_of(load_workflow(path), definitions)


def _graph_of(data: Any, definitions: Definitions) -> ApiGraph:
    if is_editor_format(data):
        return to_api(data, definitions)
    graph = tidy(data) if is_api_format(data) else data
    check_graph(graph)
    return dict(graph)


def read_for_check(path: Path, definitions: Definitions) -> tuple[ApiGraph, MissingNodesError | None]:
    """Return the same as `read_workflow`, even if nodes are missing, and the error about these.

    Raises:
        WorkflowError: The file cannot be read, contains no workflow, or one that cannot be read without these nodes.
    """
    try:
        return read_workflow(path, definitions), None
    except MissingNodesError as error:
        try:
            return to_api(load_workflow(path), definitions, keep_unknown=True), error
        except WorkflowError:
            raise error from None


def load_workflow(path: Path) -> Any:
    """Return the parsed JSON of a file's workflow, without wrappers of other programs.

    Raises:
        WorkflowError: The file cannot be read, or contains no workflow.
    """
    carrier = carrier_of(path, _head_of(path))
    if carrier == "text":
        return _from_text(path)
    texts = picture_texts(path) if carrier == "picture" else media_texts(path)
    return _from_texts(path, texts)


@dataclass(frozen=True, slots=True)
class ReadWorkflow:
    """The contents of a workflow file, for the page and the API.

    Attributes:
        graph: API format, with defaults for values unknown to the installed nodes (see `fit_to`).
        fields: Its form.
        notes: The changes made.
        problems: Why it cannot run unchanged.
    """

    graph: ApiGraph
    fields: list[Field]
    notes: list[Note]
    problems: list[WorkflowError]


def read_with_form(path: Path, snapshot: Path) -> ReadWorkflow:
    """Read a workflow and its form at once, so that neither the page nor the API reads a file twice.

    For use with `reading.read`: its process keeps the definitions loaded from one file to the next.

    Args:
        path: See `read_workflow`.
        snapshot: The file of the node definitions.

    Raises:
        WorkflowError: See `read_workflow`, or its node classes are missing.
        SetupError: There are no definitions.
    """
    definitions = cached_definitions(snapshot)
    data = load_workflow(path)
    graph = _graph_of(data, definitions)
    check_known(graph, definitions)
    graph, notes = fit_to(graph, definitions)
    found = list(islice(problems(graph, definitions), _MOST_PROBLEMS))
    chosen = chosen_inputs(data) if is_editor_format(data) else []
    fields = with_chosen(form_of(graph, definitions), chosen, others_of(graph, definitions))
    return ReadWorkflow(graph, fields, notes, found)


def _from_texts(path: Path, texts: Mapping[str, str]) -> Any:
    damaged: WorkflowError | None = None
    for name, text in ordered(texts, _TAGS):
        found = find_workflow(text)
        if found is not None:
            return found
        if name in _TAGS[:3] and text.lstrip()[:1] in ("{", "["):
            try:
                json.loads(text)
            except (ValueError, RecursionError) as error:
                damaged = damaged or WorkflowError(
                    f"The workflow in {path.name} is damaged: its tag {name!r} is not JSON ({why_no_json(error)}).",
                    "Use the file as ComfyUI saved it, or the workflow's .json file.",
                )
    raise damaged or _none_in(path, texts)


def _none_in(path: Path, texts: Mapping[str, str]) -> WorkflowError:
    other = next((name for name in _SETTINGS_OF_OTHERS if name in texts), "")
    if other:
        return WorkflowError(
            f"{path.name} contains the settings of another program (tag {other!r}), not a ComfyUI workflow.",
            "Use a file that ComfyUI saved, or build the workflow in ComfyUI's editor.",
        )
    told = [name for name in texts if name not in _OF_THE_FILE]
    named = ", ".join(quoted(name) for name in told[:_MOST_NAMED])
    has = f"Its tags {named} do not contain one" if named else "It has no tags that may contain one"
    return WorkflowError(
        f"{path.name} contains no workflow. {has}.",
        "Use the file as ComfyUI saved it: editing, sending and uploading often remove the tags.",
    )


def _from_text(path: Path) -> Any:
    content = _content_of(path)
    try:
        text = text_of(content)
    except UnicodeDecodeError:
        raise WorkflowError(
            f"{path.name} is not Unicode text, such as UTF-8.",
            "Use a workflow's .json file, or a picture, sound or video that contains one.",
        ) from None
    if not text:
        raise WorkflowError(f"{path.name} is empty.", _EXPORT)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WorkflowError(f"{path.name} is not JSON: {why_no_json(error)}.", _EXPORT) from None
    found = find_workflow(data)
    other = foreign_program(data)
    if other:
        raise WorkflowError(
            f"{path.name} is a workflow of {other}, not of ComfyUI.", "Build it again in ComfyUI's editor."
        )
    count = workflows_in_list(data) if found is None else 0
    if count > 1:
        raise WorkflowError(
            f"{path.name} contains {count} workflows, like ComfyUI's history and queue.",
            "Keep one workflow in the file and delete the others.",
        )
    if found is None and isinstance(data, Mapping):
        named = ", ".join(quoted(shown(str(name))) for name in list(data)[:_MOST_NAMED]) or "none"
        raise WorkflowError(
            f"{path.name} contains no workflow: it has no list of nodes, and no node with a class_type. "
            f"Its keys: {named}.",
            _EXPORT,
        )
    return data if found is None else found


def _head_of(path: Path) -> bytes:
    try:
        with _ordinary(path).open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise _unreadable(path, error) from None


def _content_of(path: Path) -> bytes:
    most = limits.WORKFLOW_FILE.most
    try:
        limits.WORKFLOW_FILE.check(path.stat().st_size, path.name, error=WorkflowError)
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    limits.WORKFLOW_FILE.check(len(content), path.name, error=WorkflowError, is_partial=True)
    return content


def _ordinary(path: Path) -> Path:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise WorkflowError(f"{path} is not a regular file.", "Use a file.")
    except ValueError as error:  # contains a null byte
        raise WorkflowError(f"{str(path)!r} is not a valid path: {error}.", "Check the path.") from None
    return path


def _unreadable(path: Path, error: OSError) -> WorkflowError:
    return WorkflowError(f"{path} cannot be read: {error.strerror}.", "Check the path.")
