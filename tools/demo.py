"""Render one clip for each mode with the pocket model, from files that it draws itself.

python -m tools.demo [--out outputs/demo]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch

from ltx_studio.errors import StudioError
from ltx_studio.jobs import LOCAL, Desk, Done, Failed, JobSpec, export
from ltx_studio.logs import log_to_file
from ltx_studio.pocket.world.captions import plain_caption
from ltx_studio.pocket.world.palette import BACKGROUNDS, COLOURS
from ltx_studio.pocket.world.scenes import SUBJECTS, Scenes
from ltx_studio.settings import get_settings
from tools.obey.scenes import FPS, faces, held_out, write_clip, write_frame, write_sound
from tools.obey.trials import HEIGHT, WIDTH

FRAMES = 49
SHARED = {"seed": 1, "width": WIDTH, "height": HEIGHT, "seconds": FRAMES / FPS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"))
    out: Path = parser.parse_args().out
    files = draw_inputs(out / "inputs")
    settings = get_settings()
    log_to_file(settings)
    desk = Desk(settings)
    try:
        for mode, values in files.items():
            print(render(desk, mode, SHARED | values, out / f"{mode}.mp4"), flush=True)
    except StudioError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    finally:
        desk.close(timeout=10)


def render(desk: Desk, mode: str, values: dict[str, Any], destination: Path) -> Path:
    spec = JobSpec.from_request(mode, values, "pocket")
    print(f"{mode}: {spec.summary()}", file=sys.stderr)
    (job,) = desk.submit(LOCAL, [spec])
    desk.work()
    *_, ended = desk.follow(job, LOCAL)
    match ended.state:
        case Done(take=take):
            return export(desk.history.path(desk.history.get(take, LOCAL)), destination)
        case Failed(error=error):
            raise error
    raise SystemExit(f"{mode} was stopped")


def draw_inputs(folder: Path) -> dict[str, dict[str, Any]]:
    """What each mode is given: a prompt, and files of scenes that the pocket model knows."""
    folder.mkdir(parents=True, exist_ok=True)
    bounces, pulses = scene("bounces", "red", "gray"), scene("pulses", "yellow", "navy")
    rolls, rises = scene("moves right", "blue", "white"), scene("moves up", "red", "white")
    face = faces(1, "demo")
    quiet = face.but(strength=face.strength * 0)
    first, last, portrait = (
        write_frame(each, folder / f"{name}.png", frames=FRAMES, index=index, width=WIDTH, height=HEIGHT)
        for each, name, index in ((rolls, "first", 0), (rolls, "last", -1), (quiet, "face", 0))
    )
    beat, voice = (
        write_sound(each, folder / f"{name}.wav", frames=FRAMES) for each, name in ((pulses, "beat"), (face, "voice"))
    )
    clip = write_clip(rises, folder / "clip.mp4", frames=FRAMES, width=WIDTH, height=HEIGHT)
    return {
        "t2v": {"prompt": told(bounces)},
        "a2v": {"prompt": told(pulses), "audio": beat},
        "i2v": {"prompt": told(rolls), "image": first},
        "lipsync": {"prompt": told(face), "image": portrait, "audio": voice},
        "keyframe": {"prompt": told(rolls), "first_image": first, "last_image": last},
        "style": {"prompt": told(rises.but(colour=torch.tensor([list(COLOURS).index("green")]))), "clip": clip},
    }


def scene(motion: str, colour: str, background: str) -> Scenes:
    """A circle that moves so."""
    return held_out(1, "demo", (motion,)).but(
        subject=torch.tensor([SUBJECTS.index("circle")]),
        colour=torch.tensor([list(COLOURS).index(colour)]),
        background=torch.tensor([list(BACKGROUNDS).index(background)]),
    )


def told(one: Scenes) -> str:
    return plain_caption(one, 0)


if __name__ == "__main__":
    main()
