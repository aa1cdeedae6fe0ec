"""The LoRAs that a form offers: what the browser is told of them, and what it may name."""

import json
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError
from ltx_studio.settings import Settings
from ltx_studio.web.forms.loras import LoraShelf
from tests.models.test_loras import write_lora
from tests.support import MODEL_SETS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", hub_cache=tmp_path / "hub")


@pytest.fixture
def shelf(settings: Settings) -> LoraShelf:
    write_lora(settings.models_dir / "loras" / "styles" / "ink.safetensors", {"trigger_words": "ink"})
    return LoraShelf(settings, MODEL_SETS["pocket"])


def test_one_of_the_folder_is_chosen_by_its_key_and_kept_over_a_restart(shelf: LoraShelf, settings: Settings) -> None:
    (entry,) = shelf.library()
    assert (entry["name"], entry["triggers"], entry["fits"]) == ("styles/ink", ["ink"], True)
    given = [{**entry, "strength": 0.5, "name": "anything"}]
    path = settings.models_dir / "loras" / "styles" / "ink.safetensors"

    later = LoraShelf(settings, MODEL_SETS["pocket"])

    assert later.chosen(given) == [{"file": path, "strength": 0.5}]
    assert later.kept(given) == [{**entry, "strength": 0.5}]
    assert later.take_in(path) == entry


def test_an_upload_has_a_key_that_nobody_guesses(shelf: LoraShelf, tmp_path: Path) -> None:
    mine = write_lora(tmp_path / "mine.safetensors", {"title": 'x="gradio_api/file=/etc/passwd"'})

    first, second = shelf.take_in(mine), shelf.take_in(mine)

    assert first["key"] != second["key"]
    assert str(tmp_path) not in json.dumps(first)
    assert '"' not in first["name"]  # else it could name a file, which its owner may then read
    assert shelf.chosen([first]) == [{"file": mine, "strength": 1.0}]
    mine.unlink()
    assert shelf.kept([first]) == []


@pytest.mark.parametrize(
    "key", ["folder:../../secret", "folder:/etc/passwd", "/etc/passwd", "file:0000000000000000", "", None, 7, ["x"]]
)
def test_nothing_else_can_be_named(key: object, shelf: LoraShelf) -> None:
    given = [{"key": key, "name": "<b>x</b>", "strength": 1}]

    assert shelf.kept(given) == []
    with pytest.raises(RequestError, match="is no longer available"):
        shelf.chosen(given)


@pytest.mark.parametrize("kept", [None, "x", {}, [7], [None], [{}], [[]]])
def test_nonsense_that_a_browser_kept_is_left_out(kept: object, shelf: LoraShelf) -> None:
    assert shelf.kept(kept) == []


@pytest.mark.parametrize("strength", [None, "x", float("nan"), True, [], 99])
def test_a_strength_that_is_none_is_replaced(strength: object, shelf: LoraShelf) -> None:
    (entry,) = shelf.library()

    (kept,) = shelf.kept([{**entry, "strength": strength}])

    assert kept["strength"] == (4.0 if strength == 99 else 1.0)
