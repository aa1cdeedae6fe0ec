"""Contact sheets: several clips, each as a row of its frames."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLUMNS = 6
SIZE = 128, 96
"""Pixels of each picture, width and height."""


def write_sheet(clips: Sequence[NDArray[np.uint8]], path: Path) -> None:
    """Write one row for each clip, (F, H, W, 3), from first to last frame; write nothing without clips."""
    if not clips:
        return
    sheet = Image.new("RGB", (SIZE[0] * COLUMNS, SIZE[1] * len(clips)))
    for row, frames in enumerate(clips):
        for column, index in enumerate(np.linspace(0, len(frames) - 1, COLUMNS).round().astype(int)):
            frame = Image.fromarray(frames[index])
            sheet.paste(frame.resize(SIZE), (column * SIZE[0], row * SIZE[1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=80)
