import os
import stat
from pathlib import Path

import pytest

from ltx_studio.errors import RequestError, SetupError
from ltx_studio.families import LTX_2_3
from ltx_studio.families.default_preset import default_preset
from ltx_studio.families.ltx_2_3 import FAST, QUALITY
from ltx_studio.models import default_set
from ltx_studio.models.defaults import set_to_fetch
from ltx_studio.settings import Settings, Vram, file, get_settings, sources
from tests.support import ROOT

WHOLE = """\
# what this machine can do
model_set = "bf16"
preset = "quality"  # slow
vram = "low"
model_dirs = ["weights", "~/more"]
comfy_dir = "/opt/ComfyUI"
output_limit_gb = 50
keep_alive_minutes = 2.5
language = "en"
allowed_hosts = ["Studio.Example.org"]
trusted_proxies = ["10.1.2.3/8"]
"""


def read(home: Path, content: str, **env: str) -> Settings:
    """Return the settings of a home with this settings file."""
    (home / file.NAME).write_text(content, encoding="utf-8")
    return Settings.from_env({"LTX_STUDIO_HOME": str(home), **env})


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


def test_the_developers_own_settings_do_not_reach_a_test() -> None:
    assert [name for name in os.environ if name.startswith("LTX_STUDIO_")] == []
    assert list(Settings.from_env({}).home.parent.glob("*/*")) == []
    assert not get_settings().settings_file.exists()


def test_the_file_sets_every_key(tmp_path: Path) -> None:
    settings = read(tmp_path, WHOLE)

    assert (settings.model_set, settings.preset, settings.vram) == ("bf16", "quality", Vram.LOW)
    assert settings.model_dirs[:2] == (tmp_path / "weights", Path("~/more").expanduser())
    assert settings.comfy_dir == Path("/opt/ComfyUI")
    assert (settings.output_limit_gb, settings.keep_alive_minutes, settings.language) == (50, 2.5, "en")
    assert (settings.allowed_hosts, settings.trusted_proxies) == (("studio.example.org",), ("10.0.0.0/8",))
    assert set(sources.load({}, settings.settings_file).origins) == set(sources.KEYS), "a key is not tested"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    given = {
        "LTX_STUDIO_MODEL_SET": "fp8",
        "LTX_STUDIO_PRESET": "draft",
        "LTX_STUDIO_VRAM": "high",
        "LTX_STUDIO_MODEL_DIRS": "/theirs",
        "LTX_STUDIO_COMFY_DIR": "/their/ComfyUI",
        "LTX_STUDIO_OUTPUT_LIMIT_GB": "none",
        "LTX_STUDIO_KEEP_ALIVE_MINUTES": "Always",
        "LTX_STUDIO_LANGUAGE": "en",
        "LTX_STUDIO_ALLOWED_HOSTS": "a.example,b.example",
        "LTX_STUDIO_TRUSTED_PROXIES": "::1",
    }

    settings = read(tmp_path, WHOLE, **given)

    assert set(given) == {key.variable for key in sources.KEYS.values()}, "a variable is not tested"
    assert (settings.model_set, settings.preset, settings.vram) == ("fp8", "draft", Vram.HIGH)
    assert settings.model_dirs[0] == Path("/theirs")
    assert tmp_path / "weights" not in settings.model_dirs
    assert settings.comfy_dir == Path("/their/ComfyUI")
    assert (settings.output_limit_gb, settings.keep_alive_minutes) == (None, None)
    assert (settings.allowed_hosts, settings.trusted_proxies) == (("a.example", "b.example"), ("::1/128",))
    assert settings.origins["vram"] == "LTX_STUDIO_VRAM"


def test_a_wrong_value_that_the_environment_hides_does_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, 'vram = "huge"', LTX_STUDIO_VRAM="low").vram is Vram.LOW
    assert read(tmp_path, 'vram = "low"', LTX_STUDIO_VRAM="").vram is Vram.LOW


def test_settings_made_directly_read_neither_file_nor_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tmp_path, WHOLE)
    monkeypatch.setenv("LTX_STUDIO_VRAM", "high")

    assert (Settings(home=tmp_path).vram, Settings(home=tmp_path).model_set) == (Vram.AUTO, "")


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ('vram = "huge"', "vram in {file} is 'huge'", "low"),
        ("vram = 3", "vram in {file} is 3", "low"),
        ("model_set = 8", "model_set in {file} is 8", "text"),
        ('preset = ["fast"]', "preset in {file} is ['fast']", "text"),
        ("model_dirs = 5", "model_dirs in {file} is 5", "list"),
        ("model_dirs = [5]", "model_dirs in {file} contains 5", "list"),
        ('comfy_dir = "~nosuchuser/x"', "comfy_dir in {file}", "full path"),
        ("output_limit_gb = -1", "output_limit_gb in {file} is -1", "gigabytes"),
        ("output_limit_gb = true", "output_limit_gb in {file} is True", "gigabytes"),
        ("output_limit_gb = inf", "output_limit_gb in {file} is inf", "gigabytes"),
        ('keep_alive_minutes = "soon"', "keep_alive_minutes in {file} is 'soon'", "always"),
        ("keep_alive_minutes = nan", "keep_alive_minutes in {file} is nan", "minutes"),
        ('language = "de"', "language in {file} is 'de'", "en"),
        ('allowed_hosts = ["https://a.example"]', "allowed_hosts in {file} contains", "without https"),
        ('trusted_proxies = ["*"]', "trusted_proxies in {file} contains '*'", "10.0.0.7"),
        ('presett = "fast"', "{file} has a key 'presett'", "preset?"),
        ('password = "secret"', "{file} has a key 'password'", "LTX_STUDIO_PASSWORD"),
        ('home = "/x"', "{file} has a key 'home'", "LTX_STUDIO_HOME"),
        ("[vram]", "vram in {file} is {{}}", "low"),
        ("[server]\nport = 1", "{file} has a key 'server'", "model_set"),
        ("# fine\nvram low", "{file} is not valid TOML", "key = value"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_what_is_allowed(
    tmp_path: Path, line: str, said: str, hint: str
) -> None:
    with pytest.raises(SetupError) as caught:
        read(tmp_path, line)

    assert said.format(file=tmp_path / file.NAME) in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'vram = "low"\npreset quality\n', "line 2, column 8"),
        (b'vram = "low"\npreset = [', "line 2, column 11"),
        (b'vram = "low"\npreset = "\xff"', "line 2, column 11"),
    ],
    ids=["no equals sign", "no end", "not UTF-8"],
)
def test_a_file_that_is_not_toml_names_line_and_column(tmp_path: Path, content: bytes, place: str) -> None:
    (tmp_path / file.NAME).write_bytes(content)

    with pytest.raises(SetupError, match=file.NAME) as caught:
        Settings.from_env({"LTX_STUDIO_HOME": str(tmp_path)})

    assert place in caught.value.message


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / file.NAME).write_bytes(b'\xef\xbb\xbfvram = "low"\r\npreset = "draft"\r\n')

    settings = Settings.from_env({"LTX_STUDIO_HOME": str(tmp_path)})

    assert (settings.vram, settings.preset) == (Vram.LOW, "draft")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / file.NAME).mkdir()

    with pytest.raises(SetupError, match="cannot be read"):
        Settings.from_env({"LTX_STUDIO_HOME": str(tmp_path)})


def test_a_home_that_is_a_file_holds_no_settings(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")

    assert Settings.from_env({"LTX_STUDIO_HOME": str(tmp_path / "home")}).vram is Vram.AUTO


def test_a_change_keeps_comments_order_and_other_keys() -> None:
    after = file.changed(WHOLE, {"preset": "draft", "vram": None, "language": "en"})

    assert after == WHOLE.replace('"quality"', '"draft"').replace('vram = "low"\n', "")
    assert file.changed('vram = "low"', {"preset": "fast"}) == 'vram = "low"\npreset = "fast"\n'


def test_the_file_is_private_and_a_link_to_it_stays(tmp_path: Path) -> None:
    path, real = tmp_path / "home" / file.NAME, tmp_path / "dotfiles.toml"

    file.write(path, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    path.unlink()
    path.symlink_to(real)
    file.write(path, 'vram = "low"')
    assert path.is_symlink()
    assert real.read_text() == 'vram = "low"'


def test_a_default_that_does_not_exist_names_where_it_is_set(tmp_path: Path) -> None:
    settings = read(tmp_path, 'preset = "best"', LTX_STUDIO_MODEL_SET="huge")

    with pytest.raises(SetupError, match=f"preset in {tmp_path / file.NAME} is 'best'") as caught:
        default_preset(settings, LTX_2_3)
    assert "quality" in caught.value.hint
    for look in (default_set, set_to_fetch):
        with pytest.raises(SetupError, match="LTX_STUDIO_MODEL_SET is 'huge'") as caught:
            look(settings)
        assert "pocket" in caught.value.hint


def test_the_default_preset_is_that_of_the_settings_or_fast(tmp_path: Path) -> None:
    assert default_preset(Settings(home=tmp_path), LTX_2_3) is FAST
    assert default_preset(read(tmp_path, 'preset = "quality"'), LTX_2_3) is QUALITY


def test_a_value_for_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(RequestError, match="'keep_alive'") as caught:
        sources.parse("keep_alive", "5")

    assert "keep_alive_minutes" in caught.value.hint


def test_the_readme_lists_every_key_and_variable() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    for name, key in sources.KEYS.items():
        assert f"| `{name}` | `{key.variable}` |" in readme
