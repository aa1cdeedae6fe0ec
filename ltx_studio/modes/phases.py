"""The phases of a run that modes share, as the progress display shows them."""

import re

from ltx_studio.graph import Phase

PROMPT = Phase("prompt", "Read prompt", ("Prompt", "Negative prompt", "Frame rate"))
STAGE_1 = Phase("stage1", "Stage 1", ("Stage 1", "Stage 1 split", "Stage 1 crop"))
UPSCALE = Phase("upscale", "Upscale", ("Upscale",))
STAGE_2 = Phase("stage2", "Stage 2", ("Stage 2 latent", "Stage 2"))
DECODE = Phase("decode", "Decode", ("Stage 2 split", "Stage 2 crop", "Decode video", "Decode audio"))
SAMPLED = re.compile(r"stage\d+")
"""Ids of sampling phases, whose steps are a sampler's."""
CONTROL = ("Clip", "Clip parts", "Clip frames", "Clip crop", "Control")
"""Node titles in the branch of an optional control clip."""


def two_stage_phases(mode_id: str) -> tuple[Phase, ...]:
    """Return the phases of a mode that samples in two stages."""
    return PROMPT, STAGE_1, UPSCALE, STAGE_2, DECODE, save(mode_id)


def save(mode_id: str) -> Phase:
    return Phase("save", "Save", ("Video", f"Save {mode_id}"))
