"""The user's LoRAs: where they are found, and what their headers say."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ltx_studio.models.loras import LONGEST, MOST_TRIGGERS, LoraCard, find_loras, lora_card
from ltx_studio.models.registry import get_registry
from ltx_studio.pocket.files import CAMERA_LORAS
from ltx_studio.settings import Settings

WEIGHT = "diffusion_model.transformer_blocks.0.attn1.to_q.lora_A.weight"


def write_lora(path: Path, metadata: dict[str, str] | None = None, width: int = 192) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({WEIGHT: torch.zeros(4, width)}, path, metadata=metadata)
    return path


def test_they_are_found_in_the_studios_folder_and_in_the_users_own_without_what_acts_by_itself(tmp_path: Path) -> None:
    comfy, models = tmp_path / "comfy", tmp_path / "home" / "models" / "loras"
    settings = Settings(home=tmp_path / "home", hub_cache=tmp_path / "hub", model_dirs=(comfy,))
    write_lora(models / "Zebra.safetensors")
    write_lora(models / "large.safetensors", width=4096)
    write_lora(models / Path(CAMERA_LORAS[0]).name)  # the sets' own
    write_lora(models / "own" / "studio-1.safetensors")  # made for ComfyUI from what was uploaded
    (models / "notes.txt").write_text("no LoRA")
    (models / "gone.safetensors").symlink_to(tmp_path / "gone")
    theirs = write_lora(comfy / "models" / "loras" / "styles" / "ink.safetensors")
    (models / "the same ink.safetensors").symlink_to(theirs)

    found = find_loras(settings, get_registry(settings), 192)

    assert [(lora.name, lora.fits) for lora in found] == [
        ("the same ink", True), ("Zebra", True), ("large", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "card"),
    [
        ({}, LoraCard()),
        (
            {"modelspec.title": "Ink", "modelspec.architecture": "ltx-2.3/lora", "modelspec.trigger_phrase": "in ink"},
            LoraCard("Ink", "ltx-2.3/lora", ("in ink",)),
        ),
        (
            {"ss_output_name": "ink_v2", "ss_base_model_version": "ltx2.3", "trained_words": '["ink", "wash", "ink"]'},
            LoraCard("ink_v2", "ltx2.3", ("ink", "wash")),
        ),
        ({"ss_tag_frequency": json.dumps({"10_a": {"man": 1, "ink": 4}, "b": {"ink": 2, "sky": 3}})},
         LoraCard(triggers=("ink", "sky", "man"))),
        ({"trigger_words": "ink, wash\nsky"}, LoraCard(triggers=("ink", "wash", "sky"))),
        ({"ss_tag_frequency": '{"a": 7, "b": {"x": "y"}}', "title": " \n\t"}, LoraCard()),
        ({"ss_tag_frequency": "[" * 100_000}, LoraCard()),
        ({"title": "a\0b\nc" + "d" * 500}, LoraCard("a b c" + "d" * (LONGEST - 5))),
        ({"trigger_words": ",".join(map(str, range(99)))}, LoraCard(triggers=tuple(map(str, range(MOST_TRIGGERS))))),
    ],
)  # fmt: skip
def test_the_header_tells_name_base_model_and_trigger_words(
    metadata: dict[str, str], card: LoraCard, tmp_path: Path
) -> None:
    assert lora_card(write_lora(tmp_path / "lora.safetensors", metadata)) == card


def test_a_file_that_is_none_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_text("hello")

    assert lora_card(tmp_path / "x.safetensors") == lora_card(tmp_path / "gone") == LoraCard()
