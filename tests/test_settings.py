import os
from pathlib import Path

import pytest

from ltx_studio.errors import SetupError
from ltx_studio.settings import Settings, Vram


def test_defaults_need_no_variable() -> None:
    settings = Settings.from_env({})

    assert settings.home.is_absolute()
    assert settings.comfy_dir is None
    assert (settings.model_set, settings.vram) == ("", Vram.AUTO)


def test_reads_every_variable(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "LTX_STUDIO_HOME": str(tmp_path),
            "LTX_STUDIO_COMFY_DIR": "~/ComfyUI",
            "LTX_STUDIO_MODEL_SET": "fp8",
            "LTX_STUDIO_VRAM": "Low",
            "LTX_STUDIO_PASSWORD": "a secret",
        }
    )

    assert settings.home == tmp_path
    assert settings.comfy_dir == Path("~/ComfyUI").expanduser()
    assert (settings.model_set, settings.vram) == ("fp8", Vram.LOW)
    assert settings.password == "a secret"
    assert "a secret" not in repr(settings)


def test_folders_of_models_are_named_first_and_other_programs_places_come_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ComfyUI").mkdir()
    named = f"{tmp_path / 'a'}{os.pathsep}{os.pathsep}~/b"

    settings = Settings.from_env({"LTX_STUDIO_MODEL_DIRS": named})

    assert settings.model_dirs == (tmp_path / "a", tmp_path / "b", tmp_path / "ComfyUI")


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"LTX_STUDIO_COMFY_DIR": "", "LTX_STUDIO_VRAM": ""}) == Settings.from_env({})


def test_a_tier_that_does_not_exist_is_refused_with_the_choices() -> None:
    with pytest.raises(SetupError, match="'huge'") as caught:
        Settings.from_env({"LTX_STUDIO_VRAM": "huge"})

    assert "low" in caught.value.hint


def test_a_home_of_nobody_is_refused() -> None:
    with pytest.raises(SetupError, match="LTX_STUDIO_HOME"):
        Settings.from_env({"LTX_STUDIO_HOME": "~nosuchuser/x"})


def test_everything_written_lies_below_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    paths = [settings.models_dir, settings.inputs_dir, settings.outputs_dir, settings.staging_dir]
    paths += [settings.temp_dir, settings.user_dir, settings.log_file]

    assert all(path.is_relative_to(tmp_path) for path in paths)
