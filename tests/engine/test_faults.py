"""Each error of a run says what is true, and a remedy that helps in that very case."""

import errno
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.engine.boot import _as_setup_error
from ltx_studio.engine.faults import from_execution, from_storage, from_validation
from ltx_studio.errors import ModelMissingError, OutOfMemoryError, SetupError, StudioError
from ltx_studio.settings import Settings, Vram

CORRUPT = (
    "Error while deserializing header: HeaderTooLarge\n\nFile path: x\n\nThe safetensors file is corrupt or invalid."
)
INCOMPLETE = "Error: MetadataIncompleteBuffer\n\nFile path: x\n\nThe safetensors file is corrupt/incomplete."


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def failed(settings: Settings, message: str, kind: str = "RuntimeError", node: str = "", **inputs: Any) -> StudioError:
    error = {
        "node_id": "1",
        "node_type": node,
        "exception_type": kind,
        "exception_message": message,
        "traceback": [],
        "current_inputs": {name: [value] for name, value in inputs.items()},
    }
    return from_execution(error, {"1": "LoRA 1"}, settings)


def given_lora(settings: Settings, file: Path, *, uploaded: bool = False) -> str:
    """What `InputStore` and `InputPreparer` make of a LoRA that the user gives; its name for ComfyUI."""
    kept = settings.kept_dir / f"{'a' * 64}.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x") if uploaded else kept.symlink_to(file)
    name = f"own/studio-{'b' * 20}.safetensors"
    link = settings.models_dir / "loras" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(kept)
    return name


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (CORRUPT, "ValueError"),
        (INCOMPLETE, "ValueError"),
        ("Error while deserializing header: InvalidHeader", "safetensors_rust.SafetensorError"),
        ("invalid load key, '<'.", "_pickle.UnpicklingError"),
        ("PytorchStreamReader failed reading zip archive", "RuntimeError"),
    ],
)
@pytest.mark.parametrize("uploaded", [False, True])
def test_a_users_broken_lora_is_named_as_they_named_it(
    home: Settings, tmp_path: Path, message: str, kind: str, uploaded: bool
) -> None:
    file = tmp_path / "my style.safetensors"
    file.touch()
    name = given_lora(home, file, uploaded=uploaded)

    told = failed(home, message, kind, "LoraLoaderModelOnly", lora_name=name, model=None)

    assert ("your file" if uploaded else "your file my style.safetensors") in told.message
    assert told.hint == "Use another file."
    for word in ("studio-", "models verify", "setup", "a" * 20):
        assert word not in told.message + told.hint


def test_a_users_lora_that_went_meanwhile_is_said_to_be_gone(home: Settings, tmp_path: Path) -> None:
    name = given_lora(home, tmp_path / "gone.safetensors")

    told = failed(home, f"No such file: {name}", "FileNotFoundError", "LoraLoaderModelOnly", lora_name=name)
    assert "your file gone.safetensors cannot be read" in told.message
    assert told.hint == "Use another file."

    class Loader:
        @staticmethod
        def INPUT_TYPES() -> dict[str, Any]:  # noqa: N802
            return {"required": {"lora_name": ([],)}}

    problem = {
        "type": "value_not_in_list",
        "message": "",
        "details": "",
        "extra_info": {"input_name": "lora_name", "received_value": name},
    }
    errors = {"1": {"class_type": "LoraLoaderModelOnly", "errors": [problem]}}
    refused = from_validation(None, errors, {"1": "LoRA 1"}, {"LoraLoaderModelOnly": Loader}, home)
    assert isinstance(refused, ModelMissingError)
    assert "your file gone.safetensors is missing" in refused.message
    assert "studio-" not in refused.message + refused.hint


@pytest.mark.parametrize(
    ("node", "file", "said", "advice"),
    [
        ("CheckpointLoaderSimple", "ltx-2.3-pocket.safetensors", "ltx-2.3-pocket", Advice.to(Do.RESTORE_POCKET)),
        ("CheckpointLoaderSimple", "big.safetensors", "big", Advice.to(Do.REPAIR_MODEL, file="big.safetensors")),
        (
            "CheckpointLoaderSimple",
            "sub/my own.safetensors",
            "my",
            Advice.to(Do.REPAIR_MODEL, file="my own.safetensors"),
        ),
        ("Unknown", "", "its model file", Advice.to(Do.VERIFY_MODELS)),
    ],
)
def test_a_broken_model_file_is_mended_by_whoever_has_it(
    home: Settings, node: str, file: str, said: str, advice: Advice
) -> None:
    told = failed(home, CORRUPT, "ValueError", node, **({"ckpt_name": file} if file else {"seed": 3}))

    assert said in told.message
    assert told.advice == advice
    assert told.hint


@pytest.mark.parametrize(
    ("message", "kind", "vram", "hint"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB", "torch.OutOfMemoryError", Vram.AUTO, "LTX_STUDIO_VRAM=none"),
        ("CUDA out of memory. Tried to allocate 2 GiB", "torch.OutOfMemoryError", Vram.NONE, "close other programs"),
        ("MPS backend out of memory", "RuntimeError", Vram.AUTO, "LTX_STUDIO_VRAM=none"),
        ("DefaultCPUAllocator: can't allocate memory", "RuntimeError", Vram.AUTO, "close other programs"),
        ("", "MemoryError", Vram.AUTO, "close other programs"),
        ("Unable to allocate 3 GiB for an array", "numpy.core._exceptions._ArrayMemoryError", Vram.AUTO, "close other"),
        ("[Errno 12] Cannot allocate memory", "OSError", Vram.AUTO, "close other programs"),
    ],
)
def test_a_full_memory_comes_with_what_empties_it(
    tmp_path: Path, message: str, kind: str, vram: Vram, hint: str
) -> None:
    told = failed(Settings(home=tmp_path, vram=vram), message, kind)

    assert isinstance(told, OutOfMemoryError)
    assert hint in told.hint


@pytest.mark.parametrize("message", ["[Errno 28] No space left on device", "[Errno 122] Disk quota exceeded"])
def test_a_full_disk_is_a_full_disk(home: Settings, message: str) -> None:
    assert "disk is full" in failed(home, message, "OSError").message
    assert "Free some space" in failed(home, message, "OSError").hint


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/a.mp4"), "Free some space"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/x/a.mp4"), "Free some space"),
        (OSError(errno.EROFS, "Read-only file system", "/x/a.mp4"), "read-only disk as writable"),
        (OSError(errno.EACCES, "Permission denied", "/x/a.mp4"), "can write to /x/a.mp4"),
        (OSError(errno.EIO, "Input/output error"), "LTX_STUDIO_HOME"),
    ],
)
def test_storing_says_what_is_in_the_way(error: OSError, hint: str) -> None:
    assert hint in from_storage(error).hint


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libtorch_cpu.so: failed to map segment from shared object", name="_C"),
        ImportError("libx.so: cannot allocate memory in static TLS block: Cannot allocate memory", name="torch"),
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        caused(ImportError("cannot import name 'x'", name="torch"), MemoryError()),
        caused(RuntimeError("failed"), OSError(errno.ENOMEM, "Cannot allocate memory")),
        RuntimeError("std::bad_alloc"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("own", [True, False])
def test_too_little_memory_at_the_start_is_called_so(error: Exception, own: bool) -> None:
    told = _as_setup_error(error, own=own)

    assert "out of memory" in told.message
    assert "memory" in told.hint
    assert "setup.sh" not in told.hint


@pytest.mark.parametrize(
    ("error", "own", "said", "hint"),
    [
        (ModuleNotFoundError("No module named 'einops'", name="einops"), False, "'einops' is missing", "setup.sh"),
        (ModuleNotFoundError("No module named 'new'", name="new"), True, "Your ComfyUI", "LTX_STUDIO_COMFY_DIR"),
        (OSError(errno.ENOSPC, "No space left on device"), False, "disk is full", "Free some space"),
        (ValueError("odd"), False, "ValueError: odd", "report it"),
        (ValueError("odd"), True, "Your ComfyUI", "Unset LTX_STUDIO_COMFY_DIR"),
        (caused(RuntimeError("x"), ImportError("broken", name="av")), False, "'av' is missing or broken", "setup.sh"),
    ],
    ids=repr,
)
def test_what_breaks_the_start_is_named(error: Exception, own: bool, said: str, hint: str) -> None:
    told = _as_setup_error(error, own=own)

    assert said in told.message
    assert hint in told.hint


def test_what_is_an_error_of_ours_stays_as_it_is() -> None:
    ours = SetupError("a", "b")

    assert _as_setup_error(ours, own=False) is ours
