"""Booting ComfyUI in library mode: once per process, in the order that it requires, without its server.

ComfyUI is a set of top-level modules with process-wide state, so there is one `Comfy` per process, with one lane.
"""

import asyncio
import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ltx_studio.engine import comfyui, nodes, patches
from ltx_studio.engine.faults import is_full_disk, is_out_of_memory
from ltx_studio.engine.host import Host
from ltx_studio.engine.preview import Previews
from ltx_studio.errors import Remedy, SetupError, StudioError
from ltx_studio.garbage import uncollected
from ltx_studio.settings import Settings, Vram

log = logging.getLogger(__name__)

_VRAM_FLAGS = {
    Vram.AUTO: [],
    Vram.GPU_ONLY: ["--gpu-only"],
    Vram.HIGH: ["--highvram"],
    Vram.LOW: ["--disable-dynamic-vram", "--lowvram"],  # with dynamic VRAM the latter does nothing
    Vram.NONE: ["--novram"],
    Vram.CPU: ["--cpu"],
}


@dataclass(frozen=True, slots=True)
class Comfy:
    """The booted ComfyUI: the modules that the engine uses, the host, the factors for previews, and the lane that one
    run at a time holds."""

    install: comfyui.ComfyInstall
    host: Host
    previews: Previews
    execution: Any
    nodes: Any
    folder_paths: Any
    model_management: Any
    utils: Any
    context: Any
    lane: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class _Process:
    """The state of ComfyUI in this process."""

    comfy: Comfy | None = None
    failure: StudioError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_process = _Process()


def boot(settings: Settings) -> Comfy:
    """Boot ComfyUI, or return the one that is already booted, whatever its settings.

    Raises:
        SetupError: ComfyUI is not installed, or could not be imported; a broken import stays broken until the
            process ends, so the same error is raised again.
    """
    with _process.lock:
        if _process.failure is not None:
            raise _process.failure
        if _process.comfy is None:
            install = comfyui.find(settings)
            try:
                with uncollected():
                    _process.comfy = _boot(install, settings)
            except Exception as error:
                _process.failure = _as_setup_error(error, own=install.own)
                raise _process.failure from error
        return _process.comfy


def _boot(install: comfyui.ComfyInstall, settings: Settings) -> Comfy:
    log.info("starting ComfyUI %s from %s", install.version, install.path)
    leave_the_processor_to_others()
    sys.path.insert(0, str(install.path))
    patches.share_the_name_app(install.path)
    _parse_flags(["--disable-all-custom-nodes", "--disable-api-nodes", *_VRAM_FLAGS[settings.vram]])
    patches.keep_the_terminal_quiet()
    importlib.import_module("main")  # ComfyUI's own start-up: dynamic VRAM, extra_model_paths.yaml, its modules
    utils = importlib.import_module("comfy.utils")
    utils.set_progress_bar_enabled(False)  # no tqdm on the user's terminal; our events report the same progress
    server = importlib.import_module("server")
    host = server.PromptServer.instance = Host(importlib.import_module("app.node_replace_manager").NodeReplaceManager())
    comfy_nodes = importlib.import_module("nodes")
    asyncio.run(comfy_nodes.init_extra_nodes(init_custom_nodes=False, init_api_nodes=False))
    comfy_nodes.NODE_CLASS_MAPPINGS.update(nodes.NODE_CLASS_MAPPINGS)
    comfy_nodes.NODE_DISPLAY_NAME_MAPPINGS.update(nodes.NODE_DISPLAY_NAME_MAPPINGS)
    previews = Previews()
    patches.preview_whole_clips(previews)
    execution, folder_paths = importlib.import_module("execution"), importlib.import_module("folder_paths")
    patches.look_at_what_nodes_get(execution, folder_paths)
    patches.save_the_same_clip_from_the_same_frames(importlib.import_module("comfy_api.latest._input_impl.video_types"))
    return Comfy(
        install=install,
        host=host,
        previews=previews,
        execution=execution,
        nodes=comfy_nodes,
        folder_paths=folder_paths,
        model_management=importlib.import_module("comfy.model_management"),
        utils=utils,
        context=importlib.import_module("comfy_execution.utils"),
    )


def leave_the_processor_to_others() -> None:
    """Have torch's threads sleep while they wait for each other. Call this before torch is imported.

    By default they spin, which takes the processor from the thread that they wait for when another program
    uses part of it, such as the browser that shows the run: on two cores a clip took 1.6 times as long. Alone it takes
    as long either way.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def _parse_flags(flags: list[str]) -> None:
    """Have ComfyUI read its flags from `sys.argv`, and add ``--cpu`` if torch finds no accelerator.

    `cuda_malloc` sets torch's allocator by an environment variable, and `comfy_aimdo` (dynamic VRAM) puts itself
    under torch's allocations, so both come before torch, as in ComfyUI's own `main`, which repeats the latter.
    """
    ours = sys.argv
    sys.argv = [ours[0] if ours else "ltx-studio", *flags]
    try:
        importlib.import_module("comfy.options").enable_args_parsing()
        cli_args = importlib.import_module("comfy.cli_args")
        importlib.import_module("cuda_malloc")
        if cli_args.enables_dynamic_vram():
            importlib.import_module("comfy_aimdo.control").init()
    finally:
        sys.argv = ours
    import torch

    if not torch.accelerator.is_available():
        cli_args.args.cpu = True


def use_folders(comfy: Comfy, settings: Settings) -> None:
    """Point ComfyUI at the folders of `settings`. They are its globals, so only the holder of the lane may do it."""
    folder_paths = comfy.folder_paths
    for folder in (settings.inputs_dir, settings.staging_dir, settings.temp_dir, settings.user_dir):
        folder.mkdir(parents=True, exist_ok=True)
    folder_paths.set_input_directory(str(settings.inputs_dir))
    folder_paths.set_temp_directory(str(settings.temp_dir))
    folder_paths.set_user_directory(str(settings.user_dir))
    for kind in list(folder_paths.folder_names_and_paths):
        if kind != "custom_nodes":
            folder_paths.add_model_folder_path(kind, str(settings.models_dir / kind), is_default=True)


def _as_setup_error(error: Exception, *, own: bool) -> SetupError:
    """Return why ComfyUI could not be imported, with a remedy; `own` means that it is the user's own ComfyUI."""
    if isinstance(error, SetupError):
        return error
    chain = list(_chain(error))
    for each in chain:
        if is_out_of_memory(type(each).__name__, str(each)):
            return SetupError(
                "ComfyUI could not be started: out of memory.",
                "Close other programs or give the studio more memory, then start it again.",
                details=f"{type(each).__name__}: {each}",
            )
        if is_full_disk(str(each)):
            return SetupError(
                f"ComfyUI could not be started: the disk is full ({each}).",
                "Free some space, then start the studio again.",
                remedies=[Remedy.MAKE_ROOM],
            )
    missing = next((each for each in chain if isinstance(each, ImportError) and each.name), None)
    again = "If it happens again, report it with the traceback from the studio's log."
    if missing is not None and own:
        return SetupError(
            f"Your ComfyUI could not be started: the Python package {missing.name!r} is missing or broken ({missing}).",
            "Unset LTX_STUDIO_COMFY_DIR to use the studio's own ComfyUI, or install what yours needs.",
            where=str(missing.name),
        )
    if missing is not None:
        return SetupError(
            f"ComfyUI could not be started: the Python package {missing.name!r} is missing or broken ({missing}).",
            "Run `./setup.sh` again to install what it needs.",
            where=str(missing.name),
        )
    return SetupError(
        f"{'Your ' if own else ''}ComfyUI could not be started: {type(error).__name__}: {error}",
        f"Unset LTX_STUDIO_COMFY_DIR to use the studio's own ComfyUI. {again}" if own else f"Try again. {again}",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
