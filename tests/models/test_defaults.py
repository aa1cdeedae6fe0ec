"""Which model set is used when nobody names one."""

from dataclasses import replace
from pathlib import Path

import pytest

from ltx_studio.models import default_set, defaults, get_registry
from ltx_studio.models.defaults import set_to_fetch
from ltx_studio.settings import Settings
from tests.hub import safetensors


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", hub_cache=tmp_path / "cache")


def put_the_gpu_set(settings: Settings) -> None:
    """Small files in place of the large ones, which the user's models.toml allows."""
    registry = get_registry(settings)
    files = registry.needs(registry.sets["fp8"].loaders.nodes)
    own = settings.home / "models.toml"
    own.parent.mkdir(parents=True)
    own.write_text("".join(f'[files."{file.key}"]\nbytes = 2000\nsha256 = ""\n' for file in files))
    for file in files:
        path = settings.models_dir / file.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(safetensors(2000))


def test_the_preview_is_used_until_there_are_a_gpu_and_the_weights(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defaults, "has_gpu", lambda: True)
    assert default_set(settings) == "pocket"

    put_the_gpu_set(settings)
    assert default_set(settings) == "fp8"

    monkeypatch.setattr(defaults, "has_gpu", lambda: False)
    assert default_set(settings) == "pocket"


def test_a_set_that_the_settings_name_is_used_in_any_case(settings: Settings) -> None:
    assert default_set(replace(settings, model_set="bf16")) == "bf16"


def test_what_is_fetched_by_default_is_a_set_that_is_not_built(settings: Settings) -> None:
    assert set_to_fetch(settings) == "fp8"
    assert set_to_fetch(replace(settings, model_set="pocket")) == "fp8"
    assert set_to_fetch(replace(settings, model_set="split")) == "split"
