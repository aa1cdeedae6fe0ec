"""ComfyUI's official LTX-2.3 templates become takes on the pocket files when their loaders are mapped."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.cli import hints as cli_hints
from ltx_studio.errors import ModelMissingError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.media import probe_clip
from ltx_studio.models import Store
from ltx_studio.queue import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes.records import TakeRecord
from ltx_studio.web import hints as web_hints
from ltx_studio.web import words
from tests.studios import Make
from tests.support import MODEL_SETS, TEMPLATES

SIZE = 128
VALUES: Mapping[str, Mapping[str, Any]] = {
    "t2v": {"Width": SIZE, "Height": SIZE, "Duration": 1, "Prompt": "a red ball"},
    "i2v": {"Width": SIZE, "Height": SIZE, "Duration": 1, "Load Image": "image"},
    "ia2v": {"Width": SIZE, "Height": SIZE, "Duration": 1, "Load Image": "image", "Load Audio": "sound"},
    "id_lora": {"Width": SIZE, "Height": SIZE, "Duration": 1, "Load Image": "image", "Load Audio": "sound"},
    "flf2v": {"Width": SIZE, "height": SIZE, "Duration": 1, "Load First Frame": "image", "Load Last Frame": "last"},
    "ic_lora": {"Width": SIZE, "height": SIZE, "Load Image": "image", "Load Video": "clip"},
}
"""What is given to each template, samples by their names."""


def values_of(name: str, samples: Mapping[str, Path]) -> dict[str, Any]:
    return {key: samples.get(str(value), value) for key, value in VALUES[name].items()}


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("name", VALUES)
def test_official_templates_run_on_the_pocket_files(
    name: str,
    make: Make,
    path_of: Callable[[TakeRecord], Path],
    definitions: Definitions,
    settings: Settings,
    samples: Mapping[str, Path],
) -> None:
    spec = WorkflowSpec.from_file(
        TEMPLATES / f"video_ltx2_3_{name}.json",
        values_of(name, samples),
        definitions,
        trusted=False,
        model_set=MODEL_SETS["pocket"],
    )
    Store(settings).require(spec.graph, spec.fetch_advice)

    clip = probe_clip(path_of(make(spec)))

    assert (clip.width, clip.height) == (SIZE, SIZE)


def test_every_official_template_is_among_them() -> None:
    assert {f"video_ltx2_3_{name}.json" for name in VALUES} == {
        path.name for path in TEMPLATES.glob("video_ltx2_3_*.json")
    }


def test_without_the_files_one_is_told_how_to_do_without(
    definitions: Definitions, settings: Settings, samples: Mapping[str, Path]
) -> None:
    path = TEMPLATES / "video_ltx2_3_t2v.json"
    spec = WorkflowSpec.from_file(path, values_of("t2v", samples), definitions, trusted=False)

    with pytest.raises(ModelMissingError) as caught:
        Store(settings).require(spec.graph, spec.fetch_advice, spec.pocket)

    said = cli_hints.hint_of(caught.value)
    assert "`--map-models pocket`" in said
    assert "--model-set" not in said, "`workflow run` has no such option"
    assert f"“{words.MAP_POCKET}”" in web_hints.hint_of(caught.value)
