"""The whole training, from nothing to files that ComfyUI loads, with hardly a step of each part."""

import subprocess
import sys
from pathlib import Path

from lab.training.export import LORAS
from ltx_studio.pocket import files
from ltx_studio.safetensors_header import read_header
from ltx_studio.settings import Settings
from tests.support import ROOT


def test_one_command_trains_every_part(settings: Settings, tmp_path: Path) -> None:
    folder, weights = tmp_path / "training", tmp_path / "weights"
    command = [sys.executable, "-m", "lab.train", "--quick", "--folder", str(folder)]
    command += ["--weights", str(weights)]
    environment = {"LTX_STUDIO_HOME": str(settings.home), "LTX_STUDIO_COMFY_DIR": str(settings.comfy_dir)}

    subprocess.run(command, check=True, cwd=ROOT, env=environment | {"PATH": ""}, timeout=280)

    made = {path.relative_to(weights).as_posix() for path in weights.rglob("*.safetensors")}
    expected = {files.CHECKPOINT, files.TEXT_ENCODER, files.UPSCALER, files.PREVIEW, *LORAS.values()}
    assert made >= expected
    for name in expected:
        assert shapes_of(weights / name) == shapes_of(files.SHIPPED / name), name
    assert (folder / "base_model.csv").read_text().startswith("step,")


def test_weights_that_know_nothing_never_take_the_place_of_the_packages_own() -> None:
    command = [sys.executable, "-m", "lab.train", "--quick", "--weights", str(files.SHIPPED)]

    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=100)

    assert done.returncode == 2
    assert "--quick" in done.stderr


def shapes_of(path: Path) -> dict[str, list[int]]:
    return {name: tensor["shape"] for name, tensor in read_header(path).tensors.items()}
