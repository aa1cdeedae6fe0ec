"""ComfyUI's complaints in the user's words: what happened, where, and the one thing to do."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ltx_studio.errors import ExecutionError, ModelMissingError, OutOfMemoryError, Remedy, StudioError, WorkflowError
from ltx_studio.graph.loaders import ENDINGS, loader_table
from ltx_studio.settings import Settings

_OUT_OF_MEMORY = ("OutOfMemoryError", "MemoryError")
_OUT_OF_MEMORY_WORDS = ("out of memory", "can't allocate memory")
"""CUDA's and MPS's words, and those of torch's allocator on the CPU, which raises a plain RuntimeError."""

_FEW = 6


def from_validation(
    error: Mapping[str, Any] | None,
    node_errors: Mapping[str, Mapping[str, Any]],
    titles: Mapping[str, str],
    classes: Mapping[str, Any],
    settings: Settings,
) -> StudioError:
    """The first problem that `validate_prompt` named; `classes` are ComfyUI's node classes."""
    if error is not None and error["type"] == "missing_node_type":
        info = error["extra_info"]
        return WorkflowError(
            f"The installed ComfyUI has no node {info.get('class_type')!r}, which the workflow uses.",
            "Replace the node in the workflow, or use a ComfyUI that has it.",
            where=titles.get(str(info.get("node_id")), ""),
        )
    if error is not None and error["type"] == "prompt_no_outputs":
        return WorkflowError("The workflow saves nothing.", "Give it an output node, such as Save Video.")
    for node_id, found in node_errors.items():
        for problem in found["errors"]:
            kind = found["class_type"]
            return _from_problem(titles.get(node_id, node_id), problem, kind, classes[kind], settings)
    return WorkflowError(
        f"ComfyUI refuses the workflow: {error['message'] if error else 'no reason given'}.",
        "Open it in ComfyUI's editor, which marks the node.",
        details=str(error),
    )


def _from_problem(
    title: str, problem: Mapping[str, Any], kind: str, node_class: Any, settings: Settings
) -> StudioError:
    info = problem.get("extra_info", {})
    name, value = str(info.get("input_name", "")), info.get("received_value")
    if problem["type"] == "value_not_in_list" and str(value).lower().endswith(ENDINGS):
        folders = loader_table().get(kind, {}).get(name, [""])
        return _missing_model(str(value), title, settings.models_dir / folders[0])
    if problem["type"] == "value_not_in_list":
        known = _choices(node_class, name)
        few = get_close_matches(str(value), known, _FEW) or known[:_FEW]
        more = ", …" if len(few) < len(known) else ""
        return WorkflowError(
            f"{title}: {name} is {value!r}, which is none of its choices.",
            f"Choose one of: {', '.join(few)}{more}." if few else "There is nothing to choose from yet.",
            where=title,
        )
    return WorkflowError(
        f"{title}: {_lower(problem['message'])} ({problem['details']}).",
        f"Correct {name!r} of the node {title!r}." if name else f"Correct the node {title!r}.",
        where=title,
    )


def _choices(node_class: Any, name: str) -> list[str]:
    declared = node_class.INPUT_TYPES()
    spec = {**declared.get("required", {}), **declared.get("optional", {})}.get(name, ([],))
    options = spec[0] if isinstance(spec[0], list) else spec[1].get("options", []) if len(spec) > 1 else []
    return [str(option) for option in options]


def from_execution(error: Mapping[str, Any], titles: Mapping[str, str]) -> ExecutionError:
    """What a node raised, from ComfyUI's ``execution_error``."""
    if not error:
        return ExecutionError(
            "One of the nodes broke the run off.",
            "Run it again; the studio's log may say why.",
            remedies=[Remedy.RETRY],
        )
    title = titles.get(str(error.get("node_id")), "A node")
    kind = str(error.get("exception_type", ""))
    message = str(error.get("exception_message", "")).strip()
    details = message + "\n\n" + "".join(error.get("traceback", []))
    if kind.endswith(_OUT_OF_MEMORY) or any(words in message.lower() for words in _OUT_OF_MEMORY_WORDS):
        return OutOfMemoryError(
            f"{title} ran out of memory.",
            "Make the clip smaller or shorter, or set LTX_STUDIO_VRAM=none, which is slower and needs the least.",
            where=title,
            details=details,
            remedies=[Remedy.SMALLER, Remedy.UNLOAD],
        )
    if "SafetensorError" in kind or "safetensors file is corrupt" in message:
        return ExecutionError(
            f"{title}: its model file is damaged: {_first_line(message)}",
            "`ltx-studio models verify --hash --repair` mends it; the pocket model is mended by `ltx-studio setup`.",
            where=title,
            details=details,
        )
    if _is_full_disk(message):
        return _full_disk(title, details)
    return ExecutionError(
        f"{title} failed: {_first_line(message) or kind or 'no reason given'}",
        "Check the inputs of that step. The studio's log has the traceback.",
        where=title,
        details=details,
    )


def from_storage(error: OSError) -> ExecutionError:
    """What went wrong while a run's files were made or moved."""
    if _is_full_disk(str(error)):
        return _full_disk("The studio's folder", "")
    return ExecutionError(
        f"The clip could not be stored: {error.strerror or error}.",
        "Check the studio's folder, LTX_STUDIO_HOME.",
        where=str(error.filename or ""),
    )


def _missing_model(name: str, title: str, folder: Path) -> ModelMissingError:
    return ModelMissingError(
        f"The model file {name} is missing.",
        f"Put it into {folder}, or into the same folder of your own ComfyUI.",
        where=title,
    )


def _is_full_disk(message: str) -> bool:
    return "No space left" in message or "[Errno 28]" in message


def _full_disk(title: str, details: str) -> ExecutionError:
    return ExecutionError(
        f"{title}: the disk is full.",
        "Free some space and run it again.",
        where=title,
        details=details,
        remedies=[Remedy.RETRY],
    )


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
