"""Text to video: a prompt becomes a clip with sound, in two stages."""

from ltx_studio.graph import Graph, Stage
from ltx_studio.modes.base import Mode, Params


def _patch(graph: Graph, params: Params) -> None:
    graph["Empty video"].width = params.width // 2
    graph["Empty video"].height = params.height // 2
    graph["Empty video"].length = params.frames
    graph["Empty audio"].frames_number = params.frames


T2V = Mode(
    id="t2v",
    label="Text to video",
    params=Params,
    stages=(
        Stage("prompt", "Read prompt", ("Prompt", "Negative prompt", "Frame rate")),
        Stage("stage1", "Stage 1", ("Stage 1",)),
        Stage("upscale", "Upscale", ("Stage 1 split", "Upscale")),
        Stage("stage2", "Stage 2", ("Stage 2 latent", "Stage 2")),
        Stage("decode", "Decode", ("Stage 2 split", "Decode video", "Decode audio")),
        Stage("save", "Save", ("Video", "Save")),
    ),
    patch=_patch,
)
