"""Write the graph of every preset of every mode as text, for comparison in the tests.

make golden
"""

from collections.abc import Iterator
from pathlib import Path

from ltx_studio.families.ltx_2_3 import FAST, PRESETS
from ltx_studio.graph.graph import ApiGraph
from ltx_studio.media import by_name
from ltx_studio.models.registry import load_registry
from ltx_studio.modes import MODES, UserLora
from tests.support import GOLDEN_GRAPHS, graph_as_text

MODEL_SET = "fp8"
SEED = 42
EVERYTHING = {"camera": "jib-up", "loras": (UserLora(file=Path("mine.safetensors"), strength=0.8),), "height": 640}


def main() -> None:
    GOLDEN_GRAPHS.mkdir(parents=True, exist_ok=True)
    for path in GOLDEN_GRAPHS.glob("*.txt"):
        path.unlink()
    for name, graph in graphs():
        (GOLDEN_GRAPHS / f"{name}.txt").write_text(graph_as_text(graph), encoding="utf-8")
        print(name)


def graphs() -> Iterator[tuple[str, ApiGraph]]:
    model_set = load_registry().get_set(MODEL_SET)
    for mode in MODES.values():
        params = mode.example(model_set).model_copy(update={"seed": SEED})
        for preset in PRESETS.values():
            workflow = mode.build(params, model_set, preset, by_name)
            yield f"{mode.id}-{preset.id}", {key: dict(node) for key, node in workflow.graph.items()}
        whole = mode.example(model_set, everything=True).model_copy(update={"seed": SEED, **EVERYTHING})
        workflow = mode.build(whole, model_set, FAST, by_name)
        yield f"{mode.id}-everything", {key: dict(node) for key, node in workflow.graph.items()}


if __name__ == "__main__":
    main()
