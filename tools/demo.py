"""Render one clip for each mode with the pocket model, from files that it draws itself.

python -m tools.demo [--out outputs/demo]
"""

import argparse
import math
import sys
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

from ltx_studio.errors import StudioError
from ltx_studio.events import Failed, Finished
from ltx_studio.jobs import JobSpec, LocalRunner, export
from ltx_studio.logs import log_to_file
from ltx_studio.settings import get_settings

SECONDS, FPS, SIZE = 2.0, 24, (256, 192)
RATE = 48_000
SHARED = {"seed": 1, "width": SIZE[0], "height": SIZE[1], "seconds": SECONDS}
PROMPTS = {
    "t2v": "a red ball bounces to the right",
    "a2v": "a red ball pulses with the tone",
    "i2v": "the red ball rolls to the right",
    "lipsync": "a round red face sings, static camera",
    "keyframe": "the red ball rolls from the left to the right",
    "style": "a red ball as a chalk drawing, rolling to the right",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"))
    out: Path = parser.parse_args().out
    files = draw_inputs(out / "inputs")
    settings = get_settings()
    log_to_file(settings)
    runner = LocalRunner(settings)
    try:
        for mode, prompt in PROMPTS.items():
            print(render(runner, mode, {"prompt": prompt, **SHARED, **files[mode]}, out / f"{mode}.mp4"), flush=True)
    except StudioError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    finally:
        runner.close(timeout=10)


def render(runner: LocalRunner, mode: str, values: dict[str, Any], destination: Path) -> Path:
    spec = JobSpec.from_request(mode, values, "pocket")
    print(f"{mode}: {spec.summary()}", file=sys.stderr)
    for event in runner.run(spec):
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Finished):
            return export(event.outputs[0].path, destination)
    raise SystemExit(f"{mode} was stopped")


def draw_inputs(folder: Path) -> dict[str, dict[str, Path]]:
    """A ball at the left and at the right, a tone that swells, and a clip of the ball rolling."""
    folder.mkdir(parents=True, exist_ok=True)
    first, last, tone, clip = (folder / name for name in ("first.png", "last.png", "tone.wav", "clip.mp4"))
    ball(0.0).save(first)
    ball(1.0).save(last)
    write_tone(tone)
    write_clip(clip)
    return {
        "t2v": {},
        "a2v": {"audio": tone},
        "i2v": {"image": first},
        "lipsync": {"image": first, "audio": tone},
        "keyframe": {"first_image": first, "last_image": last},
        "style": {"clip": clip},
    }


def ball(along: float) -> Image.Image:
    """A red ball on a floor; `along` is 0 at the left and 1 at the right."""
    width, height = SIZE
    image = Image.new("RGB", SIZE, (196, 206, 214))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.72, width, height), fill=(122, 92, 66))
    radius = height // 6
    x, y = radius + along * (width - 2 * radius), height * 0.72 - radius
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(200, 40, 36))
    return image


def write_tone(path: Path) -> None:
    times = np.arange(round(SECONDS * RATE)) / RATE
    samples = 0.5 * np.sin(2 * math.pi * 300 * times) * np.abs(np.sin(2 * math.pi * times))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * 32767).astype("<i2").tobytes())


def write_clip(path: Path) -> None:
    count = round(SECONDS * FPS) + 1
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(count):
            out.mux(stream.encode(av.VideoFrame.from_image(ball(index / (count - 1)))))
        out.mux(stream.encode(None))


if __name__ == "__main__":
    main()
