import json
from pathlib import Path
from typing import Any

import pytest

from lab import architecture
from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot, use_folders
from ltx_studio.engine.nodes.pocket_text_encoder import PocketTextEncoderLoader
from ltx_studio.pocket import files
from ltx_studio.pocket.install import install
from ltx_studio.settings import Settings


@pytest.fixture
def built(home: Settings) -> Settings:
    install(home)
    return home


def test_is_whole_only_when_every_file_has_every_byte(built: Settings) -> None:
    assert files.is_whole(built)

    upscaler = built.models_dir / files.UPSCALER
    whole = upscaler.read_bytes()
    for damaged in (whole[:-1], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        upscaler.write_bytes(damaged)
        assert not files.is_whole(built)

    upscaler.unlink()
    assert not files.is_whole(built)


def test_is_not_whole_when_nothing_is_there(home: Settings) -> None:
    assert not files.is_whole(home)


def test_another_version_is_installed_again(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "VERSION", files.VERSION + 1)

    assert not files.is_whole(built)


def test_a_damaged_manifest_means_build_again(built: Settings) -> None:
    files.manifest_path(built).write_text("{")

    assert not files.is_whole(built)


def test_the_files_are_those_of_the_package(built: Settings) -> None:
    for name in files.ALL:
        assert (built.models_dir / name).read_bytes() == (files.SHIPPED / name).read_bytes()


def test_no_partial_file_is_left(built: Settings) -> None:
    assert not list(built.models_dir.rglob("*.part"))


def test_is_small(built: Settings) -> None:
    assert sum((built.models_dir / name).stat().st_size for name in files.ALL) < 32_000_000


def test_the_ic_lora_tells_its_downscale_factor(built: Settings) -> None:
    raw = (built.models_dir / files.IC_LORA).read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])

    assert header["__metadata__"] == {"reference_downscale_factor": "2"}


def load_clip(settings: Settings) -> Any:
    use_folders(boot(settings), settings)
    (clip,) = PocketTextEncoderLoader().load(Path(files.TEXT_ENCODER).name)
    return clip


@pytest.mark.parametrize("text", ["", "a red ball", "night " * 500, "€ 🙂 «…»"])
def test_every_prompt_becomes_1024_tokens(engine: Engine, settings: Settings, text: str) -> None:
    clip = load_clip(settings)
    ((cond, extra),) = clip.encode_from_tokens_scheduled(clip.tokenize(text))

    assert tuple(cond.shape) == (1, 1024, architecture.TEXT_WIDTH)
    assert cond.isfinite().all()
    assert extra["unprocessed_ltxav_embeds"] is True


def test_the_order_of_words_counts(engine: Engine, settings: Settings) -> None:
    clip = load_clip(settings)
    texts = ("a red ball on a blue floor", "a blue ball on a red floor")
    one, two = (clip.encode_from_tokens(clip.tokenize(text)) for text in texts)

    assert not one.equal(two)
    assert one.sum(dim=1).sub(two.sum(dim=1)).abs().max() > 1e-3


def test_words_that_it_does_not_know_are_passed_over(engine: Engine, settings: Settings) -> None:
    clip = load_clip(settings)
    texts = ("a red ball", "a wonderfully red, er, ball!")
    one, two = (clip.encode_from_tokens(clip.tokenize(text)) for text in texts)

    assert one.equal(two)


def test_words_for_the_same_thing_are_near_each_other(engine: Engine, settings: Settings) -> None:
    clip = load_clip(settings)
    texts = ("a red circle", "a red ball", "a red square")
    circle, ball, square = (clip.encode_from_tokens(clip.tokenize(text)) for text in texts)

    assert (circle - ball).norm() < 0.5 * (circle - square).norm()
