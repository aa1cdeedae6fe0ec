"""Edges as ComfyUI's node finds them, and thresholds that fit a clip."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from ltx_studio.errors import BusyError, RequestError, StudioError
from ltx_studio.media import edges as media_edges
from ltx_studio.media.edge_look import Part, few_pictures, look_at_edges, map_of_edges
from ltx_studio.media.edges import USUAL_THRESHOLD, edges, low_of
from tests.samples import ball, write_film
from tests.support import DATA

WIDTH, HEIGHT = 256, 192


def photo(brightness: float = 1.0) -> Image.Image:
    """What a camera sees: soft large shapes, fine ones before them, a little grain."""
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((WIDTH, HEIGHT))
    draw = ImageDraw.Draw(coarse)
    for _ in range(30):
        x, y, size = (int(each) for each in rng.integers(4, [WIDTH, HEIGHT, 40]))
        draw.ellipse((x, y, x + size, y + size // 2), fill=tuple(int(each) for each in rng.integers(0, 256, 3)))
    soft = np.asarray(coarse.filter(ImageFilter.GaussianBlur(0.8))).astype(float) + rng.normal(0, 2, (HEIGHT, WIDTH, 3))
    return Image.fromarray((soft.clip(0, 255) * brightness).astype(np.uint8))


def write_still(path: Path, picture: Image.Image, frames: int = 24) -> Path:
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=24, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
        for _ in range(frames):
            out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode(None))
    return path


def part(path: Path, seconds: float = 1.0, **changes: Any) -> Part:
    return Part(**{"path": path, "start": 0.0, "seconds": seconds, "width": WIDTH, "height": HEIGHT, **changes})


@pytest.mark.parametrize("threshold", [0.06, 0.19, USUAL_THRESHOLD])
@pytest.mark.parametrize("brightness", [1.0, 0.3])
@pytest.mark.usefixtures("engine")
def test_edges_are_those_of_the_node(brightness: float, threshold: float) -> None:
    import torch
    from comfy_extras.nodes_canny import Canny

    for picture in (photo(brightness), ball(0.4), Image.effect_noise((131, 77), 90).convert("RGB")):
        pixels = np.asarray(picture)
        node = Canny.execute(torch.from_numpy(pixels.copy())[None].float() / 255, low_of(threshold), threshold)
        theirs = np.asarray(node.args[0][0]) > 0.5

        assert (map_of_edges(pixels, threshold) > 127).shape == theirs.shape
        assert (
            np.mean((map_of_edges(pixels, threshold) > 127) != theirs) < 1e-3
        )  # equal slopes on both sides of a symmetric shape


@pytest.mark.parametrize("brightness", [1.0, 0.5, 0.3, 0.2])
def test_a_dark_clip_gets_about_the_edges_of_a_bright_one(brightness: float, tmp_path: Path) -> None:
    usual = look_at_edges(part(write_still(tmp_path / "a.mp4", photo()))).threshold
    bright = np.mean(edges(np.asarray(photo()), usual))

    look = look_at_edges(part(write_still(tmp_path / "b.mp4", photo(brightness))))
    found = np.mean(edges(np.asarray(photo(brightness)), look.threshold))

    assert not look.sees_nothing
    assert 0.7 * bright < found < 2.5 * bright
    if brightness <= 0.3:
        assert not edges(np.asarray(photo(brightness)), USUAL_THRESHOLD).any(), "the usual threshold sees nothing"


@pytest.mark.parametrize("clip", ["circle-fast.mp4", "circle-late.mp4"])
def test_a_circle_with_little_contrast_is_seen(clip: str) -> None:
    look = look_at_edges(part(DATA / clip, 2.0, width=256, height=256))

    assert look_at_edges(part(DATA / clip, 2.0, width=256, height=256), USUAL_THRESHOLD).sees_nothing
    assert not look.sees_nothing
    assert 0.1 < look.threshold < 0.3


def test_a_clip_with_clear_edges_keeps_the_usual_threshold(tmp_path: Path) -> None:
    lines = Image.new("RGB", (WIDTH, HEIGHT), "white")
    for x in range(8, WIDTH, 16):
        ImageDraw.Draw(lines).line((x, 0, x, HEIGHT), fill="black", width=3)

    assert look_at_edges(part(write_still(tmp_path / "a.mp4", lines))).threshold == USUAL_THRESHOLD


@pytest.mark.parametrize("grain", [0, 3, 12])
@pytest.mark.parametrize("shade", [0, 20, 128, 255])
def test_nothing_is_seen_where_nothing_is_but_grain(shade: int, grain: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(shade).normal(shade, grain, (HEIGHT, WIDTH, 3)).clip(0, 255).astype(np.uint8)

    look = look_at_edges(part(write_still(tmp_path / "a.mp4", Image.fromarray(noise))))

    assert look.sees_nothing
    assert look.brightness == pytest.approx(noise.mean() / 255, abs=0.03)


def test_a_slow_gradient_has_no_edges(tmp_path: Path) -> None:
    slope = np.linspace(30, 220, WIDTH).astype(np.uint8)[None, :, None].repeat(HEIGHT, 0).repeat(3, 2)

    assert look_at_edges(part(write_still(tmp_path / "a.mp4", Image.fromarray(slope)))).sees_nothing


def test_pictures_are_from_all_over_the_part_and_as_the_graph_has_them(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", frames=240, size=(192, 128))

    found = few_pictures(part(film, 4.0, start=6.0, width=128, height=128))

    assert [picture.shape for picture in found] == [(128, 128, 3)] * 4
    shades = [int(picture[100, 100, 0]) for picture in found]
    wanted = [20 + 4 * (round((6.0 + 4.0 * (number + 0.5) / 4) * 24) % 50) for number in range(4)]
    assert shades == pytest.approx(wanted, abs=6)


def test_a_large_picture_is_looked_at_in_bands_with_the_same_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.asarray(photo().resize((512, 384)))
    whole = edges(picture, 0.3)

    monkeypatch.setattr(media_edges, "BAND_PIXELS", 512 * 50)

    assert (edges(picture, 0.3) == whole).all()
    assert whole.any()


def test_a_clip_that_cannot_be_looked_at_in_time_is_taken_as_it_is(tmp_path: Path) -> None:
    """Damaged behind its first picture: whether it can be used is said when it is cut."""
    film = write_still(tmp_path / "a.mp4", photo())
    film.write_bytes(film.read_bytes()[:200])

    look = look_at_edges(part(film))

    assert (look.threshold, look.sees_nothing) == (USUAL_THRESHOLD, False)


@pytest.mark.parametrize(
    ("error", "reads"),
    [(RequestError("The clip took longer than 60 s to read.", ""), 1), (BusyError("The studio is reading.", ""), 2)],
)
def test_a_look_that_failed_is_not_tried_again_unless_the_studio_was_busy(
    error: StudioError, reads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def read(_parse: object, path: Path, *_: object) -> None:
        tried.append(path)
        raise error

    monkeypatch.setattr("ltx_studio.sandbox.read", read)
    film = write_still(tmp_path / "a.mp4", photo())

    first, second = look_at_edges(part(film)), look_at_edges(part(film))

    assert first == second
    assert not first.sees_nothing
    assert tried == [film] * reads
