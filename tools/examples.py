"""Draw the files for the page's examples: scenes of the pocket model's world, free of other people's rights.

python -m tools.examples
"""

from pathlib import Path

import torch

from lab.obey.scenes import FPS, faces, held_out, write_clip, write_frame, write_sound
from lab.world.palette import BACKGROUNDS, COLOURS
from lab.world.scenes import SUBJECTS, Scenes
from ltx_studio.modes.examples import FILES

FRAMES = 49
"""Frames of each scene, about two seconds: the length that the pocket model was trained on."""
SECONDS = FRAMES / FPS
PICTURE = {"width": 768, "height": 576}
CLIP = {"width": 384, "height": 288}


def main() -> None:
    for path in draw(FILES):
        print(f"{path} {path.stat().st_size:,}")


def draw(folder: Path) -> list[Path]:
    """Draw all files into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    ball = scene("moves right", "circle", "blue", "white")
    square = scene("moves up", "square", "green", "black")
    face, other = faces(2, "demo")[:1], faces(2, "demo")[1:]
    pictures = {
        "ball-left": (ball, 0),
        "ball-right": (ball, -1),
        "square-low": (square, 0),
        "square-high": (square, -1),
        "triangle": (scene("stays still", "triangle", "yellow", "navy"), 0),
        "face": (silent(face), 0),
        "other-face": (silent(other), 0),
    }
    sounds = {
        "voice": face,
        "other-voice": other,
        "beat": scene("pulses", "circle", "yellow", "navy"),
        "bounces": scene("bounces", "square", "red", "gray"),
    }
    clips = {
        "rises": scene("moves up", "circle", "red", "white"),
        "falls": scene("moves down", "square", "white", "black"),
    }
    return [
        *(
            write_frame(one, folder / f"{name}.png", frames=FRAMES, index=index, **PICTURE)
            for name, (one, index) in pictures.items()
        ),
        *(write_sound(one, folder / f"{name}.wav", frames=FRAMES) for name, one in sounds.items()),
        *(write_clip(one, folder / f"{name}.mp4", frames=FRAMES, **CLIP) for name, one in clips.items()),
    ]


def scene(motion: str, subject: str, colour: str, background: str) -> Scenes:
    """Return a shape with the given motion."""
    return held_out(1, "demo", (motion,)).but(
        subject=torch.tensor([SUBJECTS.index(subject)]),
        colour=torch.tensor([list(COLOURS).index(colour)]),
        background=torch.tensor([list(BACKGROUNDS).index(background)]),
    )


def silent(face: Scenes) -> Scenes:
    """Return the same face before it speaks."""
    return face.but(strength=face.strength * 0)


if __name__ == "__main__":
    main()
