"""Every patch to ComfyUI, each with its reason, the condition for its removal, and a check that its target exists."""

import inspect
import sys
from pathlib import Path
from typing import Any

from ltx_studio.engine.handover import Handover
from ltx_studio.engine.preview import ClipPreviewer, Previews
from ltx_studio.engine.repeatable import RepeatableAv
from ltx_studio.errors import SetupError


def share_the_name_app(comfy_dir: Path) -> None:
    """Let ComfyUI's package `app` be found where our own module `app` is already imported.

    Reason: a Hugging Face Space starts `app.py`, and `import app; app.build_app()` is how it is embedded, but
    ComfyUI imports `app.logger`. A module with a `__path__` serves as both.
    Remove when: ComfyUI's top-level packages move into one namespace.
    """
    package = comfy_dir / "app"
    _expect(
        (package / "__init__.py").is_file() and not (package / "__init__.py").read_text(encoding="utf-8").strip(),
        "app/__init__.py is empty",
    )
    ours = sys.modules.get("app")
    if ours is not None and not hasattr(ours, "__path__"):
        ours.__path__ = [str(package)]


def keep_the_terminal_quiet() -> None:
    """Stop ComfyUI's start-up from logging to the terminal and from replacing `sys.stdout`.

    Reason: the terminal belongs to the user, and the log has its own file. `setup_logger` returns at once
    when its buffer `logs` is not empty.
    Remove when: ComfyUI can be imported without setting up logging.
    """
    from collections import deque

    import app.logger as comfy_logger  # ComfyUI's, see share_the_name_app

    _expect(hasattr(comfy_logger, "logs") and hasattr(comfy_logger, "setup_logger"), "app.logger.logs")
    comfy_logger.logs = deque([{"t": "", "m": "library mode\n"}], maxlen=300)


def preview_whole_clips(previews: Previews) -> None:
    """Give samplers our previewer, with the factors that `previews` knows.

    Reason: ComfyUI's own previewers show only the first latent frame (`x0[0, :, 0]`), and
    have one set of colours for all VAEs of LTX.
    Remove when: ComfyUI previews video latents as clips.
    """
    import latent_preview

    _expect(hasattr(latent_preview, "get_previewer"), "latent_preview.get_previewer")

    def get_previewer(device: Any, latent_format: Any) -> ClipPreviewer | None:
        return previews.previewer(latent_format)

    latent_preview.get_previewer = get_previewer


def look_at_what_nodes_get(execution: Any, folder_paths: Any) -> None:
    """Have `Handover` check the values of a node's inputs before it runs.

    Reason: ComfyUI checks values that are written into an input, but not those that another node passes, so a link can
    name any file, or be an invalid choice.
    Remove when: ComfyUI checks linked values against the input's choices, and its folder nodes stay in their folder.
    """
    parameters = list(inspect.signature(execution.get_input_data).parameters)
    expected = ["inputs", "class_def", "unique_id", "execution_list", "dynprompt", "extra_data"]
    _expect(parameters == expected, "execution.get_input_data")
    needed = ("get_input_info", "first_real_override", "_ComfyNodeInternal", "_io")
    _expect(all(hasattr(execution, name) for name in needed), f"execution has {', '.join(needed)}")
    _expect(hasattr(execution._io, "get_finalized_class_inputs"), "get_finalized_class_inputs")
    original, handover = execution.get_input_data, Handover(execution, folder_paths)

    def get_input_data(
        inputs: Any, class_def: Any, unique_id: Any, execution_list: Any = None, dynprompt: Any = None, *rest: Any
    ) -> Any:
        found = original(inputs, class_def, unique_id, execution_list, dynprompt, *rest)
        if execution_list is not None and dynprompt is not None:  # not while ComfyUI validates the written values
            handover.check(dynprompt.get_node(unique_id), class_def, found[0])
        return found

    execution.get_input_data = get_input_data


def save_the_same_clip_from_the_same_frames(video_types: Any) -> None:
    """Have ComfyUI's Save Video encode H.264 with the options of `media.h264.repeatable_options`.

    Reason: ComfyUI lets x264 use AVX-512, where what happens to be in memory changes the clip; see there.
    Remove when: PyAV's wheels have an x264 that gives the same clip with AVX-512.
    """
    needed = ("VideoFromComponents", "VideoFromFile")
    _expect(all(hasattr(video_types, name) for name in needed), f"video_types has {', '.join(needed)}")
    _expect(hasattr(getattr(video_types, "av", None), "open"), "video_types.av.open")
    video_types.av = RepeatableAv(video_types.av)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise SetupError(
            f"This ComfyUI is not compatible with the studio: {what}.",
            "Unset LTX_STUDIO_COMFY_DIR to use the studio's own ComfyUI.",
        )
