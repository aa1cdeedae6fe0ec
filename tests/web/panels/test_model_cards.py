"""What the models panel says of a set's files, without a browser."""

from collections.abc import Sequence

import pytest

from ltx_studio.models import ModelFile, make_plan
from ltx_studio.models.store import Store
from ltx_studio.settings import Settings
from ltx_studio.web.panels import model_cards

BUILT = ModelFile("loras", "pocket.safetensors", built=True)
OWN, OTHER = ModelFile("loras", "own.safetensors"), ModelFile("loras", "other.safetensors")
ON_HUB = ModelFile("loras", "hub.safetensors", repo="org/repo", path="hub.safetensors", size=3_000_000)
SET_UP, BYTES = "Not installed yet. Run <code>ltx-studio setup</code> on the computer", "To download: 3.0 MB of 3.0 MB"


@pytest.mark.parametrize(
    ("files", "said", "unsaid"),
    [
        ([BUILT], [SET_UP, "created by set-up"], ["To download", "0 bytes", "size unknown"]),
        ([OWN], ["Add one file yourself: it is listed below.", "add it yourself"], ["To download", "0 bytes"]),
        ([BUILT, OWN, OTHER, ON_HUB], [SET_UP, "Add 2 files yourself", BYTES], ["0 bytes"]),
    ],
    ids=["set-up creates it", "nobody has it", "all kinds"],
)
def test_a_set_says_how_each_of_its_missing_files_comes_to_be(
    home: Settings, files: Sequence[ModelFile], said: Sequence[str], unsaid: Sequence[str]
) -> None:
    card = model_cards.plan(make_plan(files, Store(home)), notice="", note="")

    assert [each for each in said if each not in card] == []
    assert [each for each in unsaid if each in card] == []
