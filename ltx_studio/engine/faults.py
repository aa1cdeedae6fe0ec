"""Translate ComfyUI's errors for users: what happened, where, and the remedy."""

import errno
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ltx_studio.advice import Advice, Do
from ltx_studio.engine import handover
from ltx_studio.errors import ExecutionError, ModelMissingError, OutOfMemoryError, Remedy, StudioError, WorkflowError
from ltx_studio.fileio import is_full
from ltx_studio.graph.missing_nodes import unknown_nodes
from ltx_studio.graph.model_inputs import ENDINGS, loader_table
from ltx_studio.media.prepare_inputs import OWN, PREFIX
from ltx_studio.settings import Settings, Vram

_ON_DEVICE = "OutOfMemoryError"
_ON_DEVICE_WORDS = ("cuda", "mps backend", "hip", "xpu", "gpu")
_OUT_OF_MEMORY = (_ON_DEVICE, "MemoryError")
_OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "unable to allocate",
    "failed to map segment",
    "bad_alloc",
    "[errno 12]",
)
"""The words of CUDA and MPS, of torch's allocator on the CPU, which raises a plain RuntimeError, of NumPy, and of the
system when a library runs out of memory."""
_DAMAGED_WORDS = ("safetensors file is corrupt", "PytorchStreamReader", "invalid load key", "not a zip file")
_GONE = ("FileNotFoundError", "PermissionError", "IsADirectoryError")
_MOST_LINKS = 8
_POCKET = "ltx-2.3-pocket"

_FEW = 6


def from_validation(
    error: Mapping[str, Any] | None,
    node_errors: Mapping[str, Mapping[str, Any]],
    titles: Mapping[str, str],
    classes: Mapping[str, Any],
    settings: Settings,
) -> StudioError:
    """Return the first problem that `validate_prompt` found; `classes` are ComfyUI's node classes."""
    if error is not None and error["type"] == "missing_node_type":
        info = error["extra_info"]
        missing = unknown_nodes({str(info.get("class_type")): ""})
        return WorkflowError(missing.message, missing.hint, where=titles.get(str(info.get("node_id")), ""))
    if error is not None and error["type"] == "prompt_no_outputs":
        return WorkflowError("The workflow saves nothing.", "Add an output node, such as Save Video.")
    for node_id, found in node_errors.items():
        for problem in found["errors"]:
            kind = found["class_type"]
            return _from_problem(titles.get(node_id, node_id), problem, kind, classes[kind], settings)
    return WorkflowError(
        f"ComfyUI rejected the workflow: {error['message'] if error else 'no reason given'}.",
        "Open it in ComfyUI's editor, which highlights the node.",
        details=str(error),
    )


def _from_problem(
    title: str, problem: Mapping[str, Any], kind: str, node_class: Any, settings: Settings
) -> StudioError:
    info = problem.get("extra_info", {})
    name, value = str(info.get("input_name", "")), info.get("received_value")
    if problem["type"] == "value_not_in_list" and str(value).lower().endswith(ENDINGS):
        folder = settings.models_dir / loader_table().get(kind, {}).get(name, [""])[0]
        if _is_given(str(value)):
            return ModelMissingError(
                f"{title}: {_named(folder / str(value), settings)} is missing.", "Put it back, or choose another file.",
                where=title,
            )  # fmt: skip
        return _missing_model(str(value), title, folder)
    if problem["type"] == "value_not_in_list":
        known = _choices(node_class, name)
        few = get_close_matches(str(value), known, _FEW) or known[:_FEW]
        more = ", …" if len(few) < len(known) else ""
        return WorkflowError(
            f"{title}: {name} is {value!r}, which is not one of its choices.",
            f"Choose one of: {', '.join(few)}{more}." if few else "Use another node: this one has no choices.",
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


def from_execution(error: Mapping[str, Any], titles: Mapping[str, str], settings: Settings) -> StudioError:
    """Return the error that a node raised, from ComfyUI's ``execution_error``."""
    if not error:
        return ExecutionError(
            "A node interrupted the run.",
            "Run it again; the studio's log may say why.",
            remedies=[Remedy.RETRY],
        )
    title = titles.get(str(error.get("node_id")), "A node")
    kind = str(error.get("exception_type", ""))
    message = str(error.get("exception_message", "")).strip()
    details = message + "\n\n" + "".join(error.get("traceback", []))
    if kind == f"{WorkflowError.__module__}.{WorkflowError.__qualname__}":
        return WorkflowError(_first_line(message), handover.HINT, where=title)
    if is_out_of_memory(kind, message):
        return _out_of_memory(title, kind, message, details, settings)
    if is_full_disk(message):
        return _full_disk(title, details)
    file = _model_file(error, settings)
    is_damaged = "SafetensorError" in kind or "Unpickling" in kind or any(words in message for words in _DAMAGED_WORDS)
    if is_damaged or (file is not None and kind.endswith(_GONE)):
        return _broken_model(title, file, message, details, settings, gone=not is_damaged)
    return ExecutionError(
        f"{title} failed: {_first_line(message) or kind or 'no reason given'}",
        "Check the inputs of that node. The studio's log has the traceback.",
        where=title,
        details=details,
    )


def from_storage(error: OSError) -> ExecutionError:
    """Return the error for a failure to create or move a run's files."""
    if is_full_disk(str(error)) or is_full(error):
        return _full_disk("The studio's folder", "")
    where = str(error.filename or "")
    hint = f"Make sure that you can write to {where}." if where else "Check the studio's folder (LTX_STUDIO_HOME)."
    if error.errno == errno.EROFS:
        hint = "Remount its read-only disk as writable, or choose another folder with LTX_STUDIO_HOME."
    return ExecutionError(f"The clip could not be saved: {error.strerror or error}.", hint, where=where)


def is_out_of_memory(kind: str, message: str) -> bool:
    """Return whether an exception, by its class name and message, is about memory."""
    return kind.endswith(_OUT_OF_MEMORY) or any(words in message.lower() for words in _OUT_OF_MEMORY_WORDS)


def is_full_disk(message: str) -> bool:
    """Return whether an exception's message is about a full disk or an exceeded quota."""
    return any(words in message for words in ("No space left", "[Errno 28]", "quota exceeded", "[Errno 122]"))


def _out_of_memory(title: str, kind: str, message: str, details: str, settings: Settings) -> OutOfMemoryError:
    is_device = kind.endswith(_ON_DEVICE) or any(words in message.lower() for words in _ON_DEVICE_WORDS)
    hint = "Make the clip smaller or shorter, or close other programs."
    if is_device and settings.vram not in (Vram.NONE, Vram.CPU):
        hint = "Make the clip smaller or shorter, or set LTX_STUDIO_VRAM=none (slowest, but uses the least memory)."
    return OutOfMemoryError(
        f"{title} ran out of memory.",
        hint,
        where=title,
        details=details,
        remedies=[Remedy.SMALLER, Remedy.UNLOAD],
    )


def _broken_model(
    title: str, file: Path | None, message: str, details: str, settings: Settings, *, gone: bool
) -> ExecutionError:
    """Return the error for a model file that cannot be loaded; the remedy depends on where the file is from."""
    wrong = "cannot be read" if gone else "is damaged or has the wrong format"
    if file is None:
        return ExecutionError(
            f"{title}: its model file {wrong}: {_first_line(message)}",
            "Check the studio's model files; replace the file if it is your own.",
            advice=Advice.to(Do.VERIFY_MODELS),
            where=title,
            details=details,
        )
    name, advice = _named(file, settings), None
    if _is_given(f"{file.parent.name}/{file.name}"):
        hint = "Use another file."
    elif file.name.startswith(_POCKET):
        hint, advice = "Run the set-up to restore it.", Advice.to(Do.RESTORE_POCKET)
    else:
        hint = "If the studio downloaded it, download it again; otherwise replace it with an intact copy."
        advice = Advice.to(Do.REPAIR_MODEL, file=file.name)
    return ExecutionError(f"{title}: {name} {wrong}.", hint, advice=advice, where=title, details=details)


def _model_file(error: Mapping[str, Any], settings: Settings) -> Path | None:
    """Return the path of the model file that the node was to load, from its inputs; None if there is none."""
    inputs, kind = error.get("current_inputs"), str(error.get("node_type", ""))
    for name, values in inputs.items() if isinstance(inputs, Mapping) else ():
        value = values[0] if isinstance(values, list) and values else values
        if isinstance(value, str) and value.lower().endswith(ENDINGS):
            folders = loader_table().get(kind, {}).get(name, [""])
            return settings.models_dir / folders[0] / value
    return None


def _is_given(name: str) -> bool:
    """Return whether the user gave a model file with a request."""
    return name.startswith(f"{OWN}/{PREFIX}")


def _named(path: Path, settings: Settings) -> str:
    """Return a model file's name for the user: files given with a request are links with names of the studio's."""
    if path.parent.name != OWN:
        return f"the model file {path.name}"
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
        if not path.is_relative_to(settings.home):
            return f"your file {path.name}"
    return "your file"


def _missing_model(name: str, title: str, folder: Path) -> ModelMissingError:
    return ModelMissingError(
        f"The model file {name} is missing.",
        f"Put it into {folder}, or into the same folder of your own ComfyUI.",
        where=title,
    )


def _full_disk(title: str, details: str) -> ExecutionError:
    return ExecutionError(
        f"{title}: the disk is full.",
        "Free some space and run it again.",
        where=title,
        details=details,
        remedies=[Remedy.RETRY, Remedy.MAKE_ROOM],
    )


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
