"""What is found about a studio's home."""

import errno
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.settings import Settings
from ltx_studio.studio.health import _home, examine
from tests.shop import TINY_SET
from tests.support import home_apart


def test_a_home_that_can_be_written_is_good(home: Settings) -> None:
    home.home.mkdir()

    assert _home(home).good
    assert list(home.home.iterdir()) == []


def test_a_home_that_is_not_there_yet_is_not_made(home: Settings) -> None:
    assert _home(home).good
    assert not home.home.exists()


@pytest.mark.parametrize(("code", "said"), [(errno.EROFS, "read-only"), (errno.EACCES, "permission to write")])
def test_a_home_that_cannot_be_written_is_a_finding(
    home: Settings, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(code, "refused", str(home.home))

    home.home.mkdir()
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    found = _home(home)

    assert found.problem is not None
    assert said in found.problem.hint


def test_a_damaged_database_is_a_finding_and_repaired(home: Settings) -> None:
    home.home.mkdir()
    home.database_file.write_bytes(b"no database" * 1000)

    found = {each.name: each for each in examine(home)}
    assert found["Database"].problem is not None
    assert found["Database"].problem.advice == Advice.to(Do.REPAIR_DATABASE)

    assert "Recovered" in {each.name for each in examine(home, repair=True)}
    assert {each.name: each.good for each in examine(home)}["Database"]


@pytest.mark.parametrize(("place", "do"), [("", Do.PLACE_MODEL), ('repo = "org/small"', Do.GET_MODELS)])
def test_missing_models_have_an_advice_that_leads_there(place: str, do: Do, set_up: Settings, tmp_path: Path) -> None:
    files = {"checkpoints": "one", "text_encoders": "encoder", "latent_upscale_models": "up"}
    own = "".join(f'[files."{folder}/{name}.safetensors"]\n{place}\n' for folder, name in files.items())
    apart = home_apart(set_up, tmp_path / "home")
    (apart.home / "models.toml").write_text(own + TINY_SET)

    (models,) = (each for each in examine(replace(apart, model_set="tiny")) if each.name == "Models")

    assert models.problem is not None
    assert models.problem.advice is not None
    assert models.problem.advice.do is do


def test_what_is_not_set_up_is_a_finding_with_the_advice_to_do_so(home: Settings) -> None:
    found = {each.name: each for each in examine(home)}

    assert found["Studio"].good
    assert found["Set-up"].problem is not None
    assert found["Set-up"].problem.advice == Advice.to(Do.SET_UP_COMFYUI)
