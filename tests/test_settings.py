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


def test_hosts_and_proxies_are_read_as_browsers_and_sockets_say_them() -> None:
    settings = Settings.from_env(
        {
            "LTX_STUDIO_ALLOWED_HOSTS": " Studio.Example.org, münchen.example,my_box,,[2001:DB8:0::7],192.0.2.7, a.b.",
            "LTX_STUDIO_TRUSTED_PROXIES": "127.0.0.1, 10.1.2.3/8,::1",
        }
    )

    hosts = ("studio.example.org", "xn--mnchen-3ya.example", "my_box", "2001:db8::7", "192.0.2.7", "a.b")
    assert settings.allowed_hosts == hosts
    assert settings.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")
    assert (Settings.from_env({}).allowed_hosts, Settings.from_env({}).trusted_proxies) == ((), ())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LTX_STUDIO_ALLOWED_HOSTS", "https://studio.example.org"),
        ("LTX_STUDIO_ALLOWED_HOSTS", "studio.example.org:443"),
        ("LTX_STUDIO_ALLOWED_HOSTS", "*.example.org"),
        ("LTX_STUDIO_ALLOWED_HOSTS", "*"),
        ("LTX_STUDIO_ALLOWED_HOSTS", "a..b"),
        ("LTX_STUDIO_ALLOWED_HOSTS", "a b"),
        ("LTX_STUDIO_TRUSTED_PROXIES", "*"),
        ("LTX_STUDIO_TRUSTED_PROXIES", "proxy.example.org"),
        ("LTX_STUDIO_TRUSTED_PROXIES", "10.0.0.0/99"),
    ],
)
def test_a_host_or_proxy_that_is_none_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(SetupError, match=variable) as caught:
        Settings.from_env({variable: f"192.0.2.1, {value}"})

    assert value in caught.value.message


def test_a_home_of_nobody_is_refused() -> None:
    with pytest.raises(SetupError, match="LTX_STUDIO_HOME"):
        Settings.from_env({"LTX_STUDIO_HOME": "~nosuchuser/x"})


def test_everything_written_lies_below_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    paths = [settings.models_dir, settings.inputs_dir, settings.outputs_dir, settings.staging_dir]
    paths += [settings.temp_dir, settings.user_dir, settings.log_file]

    assert all(path.is_relative_to(tmp_path) for path in paths)
