"""Every file that a model made says so: for players, for `ffprobe`, and in the IPTC's words."""

from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from PIL import Image

from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes import provenance
from ltx_studio.takes.provenance import SOURCE_TAG, SOURCE_TYPE, Provenance
from ltx_studio.takes.take_store import TakeStore
from tests.support import small_spec

SOURCE = Provenance("LTX-2.3 <22B> & more")
COMMENT = "AI-generated with LTX-2.3 <22B> & more in LTX 2.3 Studio."


def write_sound(path: Path, codec: str, **tags: str) -> None:
    with av.open(path, "w") as file:
        file.metadata.update(tags)
        stream = file.add_stream(codec, rate=48000)
        stream.metadata.update(tags)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def write_video(path: Path, codec: str, pixels: str, **tags: str) -> None:
    with av.open(path, "w", options={"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}) as file:
        file.metadata.update(tags)
        stream = file.add_stream(codec, rate=Fraction(24))
        stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
        for _ in range(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8))))
        file.mux(stream.encode(None))


def tags_of(path: Path) -> dict[str, str]:
    with av.open(path) as file:
        return {name.lower(): text for tags in (file.streams[0].metadata, file.metadata) for name, text in tags.items()}


def decoded(path: Path) -> list[bytes]:
    with av.open(path) as file:
        return [frame.to_ndarray().tobytes() for frame in file.decode(file.streams[0])]


MAKERS = {
    "a.webm": lambda path, **tags: write_video(path, "libvpx-vp9", "yuv420p", **tags),
    "a.mkv": lambda path, **tags: write_video(path, "libx264", "yuv420p", **tags),
    "a.mp4": lambda path, **tags: write_video(path, "libx264", "yuv420p", **tags),
    "a.flac": lambda path, **tags: write_sound(path, "flac", **tags),
    "a.mp3": lambda path, **tags: write_sound(path, "libmp3lame", **tags),
    "a.opus": lambda path, **tags: write_sound(path, "libopus", **tags),
}


@pytest.mark.parametrize("name", MAKERS)
def test_sounds_and_videos_say_it_and_keep_their_tags_and_contents(name: str, tmp_path: Path) -> None:
    made, carried = tmp_path / name, tmp_path / f"carried-{name}"
    MAKERS[name](made, prompt='{"1": 2}')

    assert provenance.can_carry(made)
    provenance.copy(made, carried, SOURCE)

    tags = tags_of(carried)
    assert (tags["comment"], tags[SOURCE_TAG], tags["prompt"]) == (COMMENT, SOURCE_TYPE, '{"1": 2}')
    assert decoded(carried) == decoded(made)


@pytest.mark.parametrize("name", MAKERS)
def test_a_comment_of_the_workflow_stays(name: str, tmp_path: Path) -> None:
    made, carried = tmp_path / name, tmp_path / f"carried-{name}"
    MAKERS[name](made, comment="mine")

    assert provenance.can_carry(made)
    provenance.copy(made, carried, SOURCE)

    assert (tags_of(carried)["comment"], tags_of(carried)["disclosure"]) == ("mine", COMMENT)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_pictures_say_it_in_words_of_the_iptc(name: str, tmp_path: Path) -> None:
    made, carried = tmp_path / name, tmp_path / f"carried-{name}"
    Image.new("RGB", (8, 8), "red").save(made)

    assert provenance.can_carry(made)
    provenance.copy(made, carried, SOURCE)

    with Image.open(carried) as image:
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    found = {node.tag.rpartition("}")[2]: node.text for node in ElementTree.fromstring(packet).iter() if node.text}
    assert found["DigitalSourceType"] == SOURCE_TYPE
    assert found["AISystemUsed"] == "LTX-2.3 <22B> & more"
    assert found["li"] == COMMENT
    assert found["CreatorTool"].startswith("LTX 2.3 Studio ")


@pytest.mark.parametrize("name", ["a.gif", "a.wav", "a.txt"])
def test_a_kind_that_carries_nothing_is_known(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"GIF89a")

    assert not provenance.can_carry(tmp_path / name)
    with pytest.raises(ValueError, match="does not support XMP"):
        provenance.copy(tmp_path / name, tmp_path / "b", SOURCE)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.mov"])
def test_a_file_that_cannot_be_put_at_its_place_stays_where_it_is(name: str, tmp_path: Path) -> None:
    made, folder = tmp_path / name, tmp_path / f"taken{Path(name).suffix}"
    Image.new("RGB", (8, 8), "red").save(made, "GIF" if name == "a.gif" else "PNG")
    before = made.read_bytes()
    (folder / "inside").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        TakeStore(Settings(home=tmp_path / "home"))._put_other(made, folder, SOURCE)

    assert made.read_bytes() == before


def test_the_model_set_is_named_or_the_file_of_a_workflow() -> None:
    loaders = {
        "1": {"class_type": "VAELoader", "inputs": {"vae_name": "vae.safetensors"}},
        "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "ltx\\my-model.safetensors"}},
    }

    assert provenance.of_take(small_spec(), {}) == Provenance("LTX-2.3 (Pocket preview)")
    assert provenance.of_take(WorkflowSpec("w", loaders), loaders) == Provenance("my-model")
    assert (
        provenance.of_take(WorkflowSpec("w", {}), {"1": {"class_type": "EmptyImage", "inputs": {"width": 8}}}) is None
    )
