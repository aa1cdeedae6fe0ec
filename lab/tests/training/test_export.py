from pathlib import Path

from safetensors.torch import load_file

from lab.training.export import LORAS, export, restore
from lab.training.loop import has_ended
from ltx_studio.pocket import files

BASE = (files.CHECKPOINT, files.TEXT_ENCODER, files.UPSCALER)


def test_what_is_restored_and_written_again_is_the_same(tmp_path: Path) -> None:
    restore(files.SHIPPED, tmp_path / "training")
    export(tmp_path / "training", tmp_path / "weights")

    for name in BASE:
        before, after = load_file(files.SHIPPED / name), load_file(tmp_path / "weights" / name)
        assert before.keys() == after.keys()
        assert all(before[key].equal(after[key]) for key in before), name
    assert (tmp_path / "weights" / files.REST).read_bytes() == (files.SHIPPED / files.REST).read_bytes()


def test_loras_are_trained_anew(tmp_path: Path) -> None:
    restore(files.SHIPPED, tmp_path)

    assert has_ended(tmp_path, "base_model")
    assert not any(has_ended(tmp_path, part) for part in LORAS)


def test_what_was_trained_is_not_restored_over(tmp_path: Path) -> None:
    tmp_path.joinpath("upscaler.safetensors").write_bytes(b"mine")
    restore(files.SHIPPED, tmp_path)

    assert tmp_path.joinpath("upscaler.safetensors").read_bytes() == b"mine"
