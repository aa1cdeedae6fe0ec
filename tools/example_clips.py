"""Render the small clips that the page's examples show: each with its first frame as a poster.

make example-clips

It uses the real engine, the pocket model, and a separate home.
"""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import av
from PIL import Image

from ltx_studio.cli.hints import hint_of
from ltx_studio.engine import comfyui
from ltx_studio.errors import StudioError
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.pocket.install import install
from ltx_studio.queue import JobSpec
from ltx_studio.settings import get_settings
from ltx_studio.studio import Studio
from ltx_studio.web.example_clips import CLIPS, clip_name, poster_name
from tools.demo import made

SEED = 23
WIDTH, HEIGHT = 192, 144
SLOW = {"crf": "33", "preset": "veryslow", "tune": "animation", "movflags": "+faststart"}
"""How the clips are encoded: they are seen at half this size, and all come with the package."""
QUALITY = 55
"""Of the posters."""


def main() -> None:
    usual = get_settings()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = replace(usual, home=home, comfy_dir=comfyui.find(usual).path, hub_cache=home / "hub")
        install(settings)
        studio = Studio(settings, works=True)
        try:
            render_all(studio, CLIPS)
        except StudioError as error:
            sys.exit(f"{error.message}\n{hint_of(error)}")
    os._exit(0)  # torch's threads may not end


def render_all(studio: Studio, folder: Path) -> None:
    """Render every example that the pocket model can do into a folder; remove the clips of former ones."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    pocket = get_registry(studio.settings).get_set("pocket")
    for mode in MODES.values():
        for example in mode.examples:
            if example.for_pocket:
                spec = JobSpec.from_request(mode.id, {**example.values, "seed": SEED}, pocket)
                clip = folder / clip_name(mode, example)
                shrink(studio.takes.path(made(studio, spec)), clip, folder / poster_name(mode, example))
                print(f"{clip} {clip.stat().st_size:,}", flush=True)
    print(f"{sum(each.stat().st_size for each in folder.iterdir()):,} bytes in all")


def shrink(take: Path, clip: Path, poster: Path) -> None:
    """Write a take as a small clip without sound, and its first frame as a picture."""
    with av.open(str(take)) as source, av.open(str(clip), "w") as target:
        shown = source.streams.video[0]
        stream = target.add_stream("libx264", rate=shown.average_rate, options=SLOW)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, frame in enumerate(source.decode(shown)):
            small: Image.Image = frame.to_image().resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
            if number == 0:
                small.save(poster, quality=QUALITY, method=6)
            target.mux(stream.encode(av.VideoFrame.from_image(small)))
        target.mux(stream.encode())


if __name__ == "__main__":
    main()
