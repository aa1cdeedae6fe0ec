"""A take can be made again from its file, in every mode, and the file says nothing that it should not."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest
from PIL import Image

from ltx_studio.advice import Do
from ltx_studio.editor_format.convert import to_api
from ltx_studio.errors import RequestError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.validate import validate
from ltx_studio.media import InputStore
from ltx_studio.modes import MODES
from ltx_studio.queue import JobSpec
from ltx_studio.settings import Settings
from ltx_studio.takes import recipes, replay
from ltx_studio.takes.records import TakeRecord
from tests.fixtures import Request
from tests.runners import quick
from tests.samples import write_picture
from tests.studios import Make
from tests.support import MODEL_SETS, small_spec

PathOf = Callable[[TakeRecord], Path]


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("mode", MODES)
def test_a_take_is_made_again_from_its_file_and_is_the_same(
    mode: str, make: Make, path_of: PathOf, small: Request, settings: Settings, definitions: Definitions
) -> None:
    asked = JobSpec.from_request(mode, small(mode), MODEL_SETS["pocket"])
    take = make(asked)

    recipe = recipes.read(path_of(take))
    spec = replay.spec_of(recipe, settings)
    again = make(replace(spec, fresh=True))

    kept = InputStore(settings.kept_dir)
    assert spec == asked.with_files(lambda path, kind: kept(path))
    assert recipe.graph == take.recipe["graph"] == again.recipe["graph"]
    assert replay.compare(path_of(take), path_of(again)).identical
    assert sum(phase["steps"] for phase in again.measured["stages"] if phase["id"].startswith("stage")) >= 2
    assert list(replay.changes(recipe, settings, spec)) == []
    carried = recipes.tags(path_of(take))
    assert to_api(json.loads(carried["workflow"]), definitions) == json.loads(carried["prompt"])
    validate(json.loads(carried["prompt"]), definitions)
    assert carried["comment"] == "AI-generated with LTX-2.3 (Pocket preview) in LTX 2.3 Studio."
    assert carried["digital_source_type"].endswith("/trainedAlgorithmicMedia")
    for private in (str(settings.home), str(Path.home()), *(str(path) for path in asked.files().values())):
        assert private not in " ".join(carried.values())


@pytest.mark.usefixtures("few_steps")
def test_one_changed_pixel_of_an_input_is_found(make: Make, path_of: PathOf, small: Request, settings: Settings,
                                                tmp_path: Path) -> None:  # fmt: skip
    take = make(JobSpec.from_request("i2v", small("i2v"), MODEL_SETS["pocket"]))
    recipe = recipes.read(path_of(take))
    with Image.open(small("i2v")["image"]) as image:
        changed = image.convert("RGB")
    red, green, blue = changed.getpixel((3, 3))  # type: ignore[misc]
    changed.putpixel((3, 3), (red ^ 1, green, blue))
    changed.save(tmp_path / "changed.png")

    with pytest.raises(RequestError, match="image is not the one"):
        replay.spec_of(recipe, settings, {"image": tmp_path / "changed.png"})
    kept = replay.spec_of(recipe, settings).files()["image"]
    before = kept.read_bytes()
    kept.write_bytes((tmp_path / "changed.png").read_bytes())
    try:
        with pytest.raises(RequestError, match="image is not the one"):
            replay.spec_of(recipe, settings)
    finally:
        kept.write_bytes(before)


@pytest.mark.usefixtures("few_steps")
def test_an_input_that_is_gone_can_be_given_again(
    make: Make, path_of: PathOf, small: Request, settings: Settings
) -> None:
    take = make(JobSpec.from_request("i2v", small("i2v"), MODEL_SETS["pocket"]))
    recipe = recipes.read(path_of(take))
    replay.spec_of(recipe, settings).files()["image"].unlink()

    with pytest.raises(RequestError, match="is missing") as refused:
        replay.spec_of(recipe, settings)
    assert refused.value.advice is not None
    assert (refused.value.advice.do, dict(refused.value.advice.given)["name"]) == (Do.GIVE_INPUT, "image")
    replay.spec_of(recipe, settings, {"image": small("i2v")["image"]})

    assert replay.spec_of(recipe, settings).files()["image"].exists()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip with sound; what it shows does not matter."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(quick.clip())
    return path


def test_another_frame_is_found(clip: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.mp4"
    with av.open(clip) as source, av.open(changed, "w") as made:
        stream = made.add_stream("libx264", rate=24, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv444p"
        for index, frame in enumerate(source.decode(video=0)):
            pixels = frame.to_ndarray(format="rgb24")
            if index == 5:
                pixels[10:20, 10:20] = 255 - pixels[10:20, 10:20]
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        made.mux(stream.encode(None))

    seen = replay.compare(clip, changed)

    assert not seen.identical
    assert seen.most > 50


@pytest.mark.parametrize("how", ["copied", "slower", "without sound", "sound with a hole", "turned"])
def test_a_clip_that_is_played_in_another_way_is_found(how: str, clip: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.mp4"
    with av.open(clip) as given, av.open(changed, "w") as made:
        kept = [stream for stream in given.streams if how != "without sound" or stream.type == "video"]
        streams = {stream.index: made.add_stream_from_template(stream) for stream in kept}
        for packet in given.demux(kept):
            if packet.dts is not None:
                if how == "slower" and packet.stream.type == "video":
                    packet.pts, packet.dts = packet.pts * 2, packet.dts * 2
                if how == "sound with a hole" and packet.stream.type == "audio" and packet.dts > 8000:
                    packet.pts, packet.dts = packet.pts + 8000, packet.dts + 8000
                packet.stream = streams[packet.stream.index]
                made.mux(packet)

    if how == "turned":
        upright = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
        over = struct.pack(">9i", -0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000)
        head, sign, tail = changed.read_bytes().partition(b"tkhd")
        changed.write_bytes(head + sign + tail.replace(upright, over, 1))

    seen = replay.compare(clip, changed)

    assert seen.identical == (how == "copied")
    assert not seen.differing


def test_a_recipe_of_elsewhere_cannot_name_a_file_outside(settings: Settings) -> None:
    spec = small_spec()
    recipe = recipes.current(spec, {}, settings).model_copy(
        update={"params": {**spec.as_dict()["params"], "loras": [{"file": "../../../etc/passwd", "strength": 1.0}]},
                "inputs": {"loras.0": "0" * 64}}
    )  # fmt: skip

    with pytest.raises(RequestError, match="is missing"):
        replay.spec_of(recipe, settings)


@pytest.mark.parametrize("content", [b"", b"no video", b"\x00" * 4096])
def test_a_file_without_a_recipe_says_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(content)

    with pytest.raises(RequestError) as refused:
        recipes.read(tmp_path / "a.mp4")
    assert refused.value.hint


@pytest.mark.parametrize(("name", "content"), [("base.png", None), ("base.png", b"hello")])
def test_what_is_not_a_video_has_no_recipe(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is None:
        write_picture(path, (64, 64))
    else:
        path.write_bytes(content)

    with pytest.raises(RequestError, match=rf"^{name} is not a video, so it has no recipe") as refused:
        recipes.read(path)
    assert refused.value.hint == "Use a video that the studio made."


def test_what_a_users_clip_carries_is_not_passed_on(clip: Path, settings: Settings, tmp_path: Path) -> None:
    phone = tmp_path / "phone.mp4"
    with av.open(clip) as given, av.open(phone, "w", options={"movflags": "use_metadata_tags"}) as made:
        made.metadata.update({"location": "+48.1+011.5/", "artist": "Ann", "title": "holiday"})
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)

    recipes.write(phone, tmp_path / "take.mp4", recipes.current(small_spec(), {}, settings), None)

    assert not {"location", "artist", "title"} & set(recipes.tags(tmp_path / "take.mp4"))
