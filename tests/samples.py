"""Pictures, sounds and clips that tests bring, as users do."""

import math
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

RATE = 48_000
SECONDS, FPS, SIZE = 2.0, 24, (256, 192)
"""Of the tone and of the clip."""


def write_sound(path: Path, seconds: float, *, rate: int = RATE, channels: int = 1, hertz: float = 220.0) -> Path:
    """A tone that wanders, so that it is like itself at one shift only. 16-bit WAV; 8 kHz and 6 channels are fine."""
    times = np.arange(round(seconds * rate)) / rate
    wander = 1 + 0.5 * np.sin(2 * math.pi * 0.9 * times)
    mono = 0.5 * np.sin(2 * math.pi * hertz * np.cumsum(wander) / rate) * (0.6 + 0.4 * np.sin(2 * math.pi * 3 * times))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.repeat(mono[:, None], channels, axis=1) * 32767).astype("<i2").tobytes())
    return path


def write_picture(path: Path, size: tuple[int, int], **options: Any) -> Path:
    """Noise in colours, which no compression leaves as it is; the same for the same size."""
    pixels = np.random.default_rng(size[0]).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def write_film(
    path: Path,
    *,
    size: tuple[int, int] = (192, 128),
    frames: int = 24,
    fps: float = 24,
    sound: bool = False,
    sound_at: float = 0.0,
    sound_seconds: float | None = None,
    aspect: int = 1,
) -> Path:
    """A clip whose picture number is its brightness; with `sound`, a tone that begins at `sound_at`.

    The tone is as long as the pictures, or as `sound_seconds` says.
    """
    with av.open(path, "w") as out:
        rate = Fraction(fps).limit_denominator(1001)
        video = out.add_stream("libx264", rate=rate, options={"crf": "4"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.sample_aspect_ratio = Fraction(aspect)
        audio = out.add_stream("aac", rate=RATE, layout="stereo") if sound else None
        for index in range(frames):
            shade = np.full((size[1], size[0], 3), brightness(index), dtype=np.uint8)
            shade[: size[1] // 4, : size[0] // 4] = 255  # a mark at the upper left
            out.mux(video.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        out.mux(video.encode(None))
        if audio is not None:
            times = np.arange(round((frames / fps if sound_seconds is None else sound_seconds) * RATE)) / RATE
            tone = (0.4 * np.sin(2 * math.pi * 440 * times)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), round(sound_at * RATE)
            out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return path


def moving(width: int, height: int, frames: int = 9) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Blocks in colours that move to the right; (frames, height, width, 3)."""
    blocks = np.random.default_rng(width).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
    return np.stack([np.roll(picture, 3 * index, axis=1) for index in range(frames)])


def brightness(index: int) -> int:
    """Of the picture `index` of a film, 0 to 255."""
    return 20 + 4 * (index % 50)


def draw_samples(folder: Path) -> dict[str, Path]:
    """One good file of each kind: image, last, speech, clip (with sound)."""
    folder.mkdir(parents=True, exist_ok=True)
    ball(0.0).save(folder / "image.png")
    ball(1.0).save(folder / "last.png")
    write_tone(folder / "tone.wav")
    write_clip(folder / "silent.mp4")
    return {
        "image": folder / "image.png",
        "last": folder / "last.png",
        "sound": write_sound(folder / "speech.wav", 0.9),
        "other sound": write_sound(folder / "other.wav", 0.9, hertz=500),
        "clip": write_film(folder / "clip.mp4", sound=True),
        "rolling": folder / "silent.mp4",
    }


def sound_of(path: Path) -> tuple[Any, int]:
    """A file's sound as one channel of floats, and its rate; of no length when it has none."""
    with av.open(path) as container:
        if not container.streams.audio:
            return np.zeros(0, dtype=np.float32), RATE
        rate = int(container.streams.audio[0].rate)
        resampler = av.AudioResampler(format="fltp", layout=container.streams.audio[0].layout, rate=rate)
        pieces = [
            piece.to_ndarray() for frame in [*container.decode(audio=0), None] for piece in resampler.resample(frame)
        ]
    return np.concatenate(pieces, axis=1).mean(axis=0), rate


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
