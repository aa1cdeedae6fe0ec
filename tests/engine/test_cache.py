from types import SimpleNamespace

import pytest

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot
from ltx_studio.engine.cache import MAX_KEPT_BYTES, forget, passing_nodes
from ltx_studio.settings import Settings
from tests.support import small_workflow

KEPT = {
    "Model",
    "Audio VAE",
    "Text encoder",
    "Distilled LoRA",
    "Upscaler",
    "Prompt",
    "Negative prompt",
    "Frame rate",
    "Empty video",
    "Empty audio",
    "Stage 1 latent",
}


def test_loaders_prompts_and_prepared_inputs_stay_and_takes_pass(engine: Engine, settings: Settings) -> None:
    graph = small_workflow().graph

    passing = passing_nodes(graph, boot(settings).nodes.NODE_CLASS_MAPPINGS)

    titles = {graph[node_id]["_meta"]["title"] for node_id in passing}
    assert titles & KEPT == set()
    assert titles >= {"Stage 1", "Upscale", "Stage 2", "Decode video", "Decode audio", "Video", "Save t2v"}


def test_an_input_that_is_too_large_is_prepared_anew() -> None:
    import torch

    keys = {"small": "k1", "large": "k2", "take": "k3"}
    entries = {
        "k1": SimpleNamespace(outputs=[[{"samples": torch.zeros(10)}]]),
        "k2": SimpleNamespace(outputs=[[torch.empty(MAX_KEPT_BYTES + 1, dtype=torch.uint8)]]),
        "k3": SimpleNamespace(outputs=[["clip"]]),
    }
    key_set = SimpleNamespace(get_data_key=keys.get)
    outputs = SimpleNamespace(cache=entries, subcaches={"expanded": object()}, cache_key_set=key_set)
    objects = SimpleNamespace(cache={"k1": "loader", "k3": "saver"}, subcaches={}, cache_key_set=key_set)

    forget(SimpleNamespace(caches=SimpleNamespace(outputs=outputs, objects=objects)), ["take"])

    assert list(entries) == ["k1"]
    assert outputs.subcaches == {}
    assert objects.cache == {"k1": "loader"}


@pytest.mark.parametrize("sampler", ["KSampler", "KSamplerAdvanced", "SamplerCustomAdvanced", "SamplerCustom"])
def test_every_sampler_counts(engine: Engine, settings: Settings, sampler: str) -> None:
    graph = {"1": {"class_type": sampler, "inputs": {}}, "2": {"class_type": "KSamplerSelect", "inputs": {}}}

    assert passing_nodes(graph, boot(settings).nodes.NODE_CLASS_MAPPINGS) == {"1"}


def test_a_graph_without_a_sampler_keeps_no_saved_file(engine: Engine, settings: Settings) -> None:
    graph = {
        "1": {"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}},
        "2": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0], "filename_prefix": "again"}},
    }

    assert passing_nodes(graph, boot(settings).nodes.NODE_CLASS_MAPPINGS) == {"2"}
