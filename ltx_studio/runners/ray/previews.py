"""Sends live previews from a worker: the newest one, small, and only when the studio has shown the last one."""

import io
import threading
from typing import Any

from PIL import Image

from ltx_studio.events import Preview, to_dict

LONGEST_SIDE = 512
"""The most pixels along the longer side of a picture. Only clips above 2,048 pixels have larger ones."""

JPEG_QUALITY = 80


class LatestPreview:
    """The newest preview of one run. At most one is under way; a newer one replaces the one that waits."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: Preview | None = None
        self._is_under_way = False

    def put(self, preview: Preview) -> None:
        """Add the newest preview."""
        with self._guard:
            self._waiting = preview

    def seen(self) -> None:
        """Note that the studio has shown the preview that was under way."""
        with self._guard:
            self._is_under_way = False

    def next(self) -> dict[str, Any] | None:
        """Return the preview to send now, as `to_dict` does, or None."""
        with self._guard:
            if self._waiting is None or self._is_under_way:
                return None
            preview, self._waiting, self._is_under_way = self._waiting, None, True
        return to_dict(Preview(preview.phase, preview.step, tuple(map(_small, preview.frames))))


def _small(jpeg: bytes) -> bytes:
    """Return a picture that is no larger than `LONGEST_SIDE`; one that cannot be read as it is."""
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            if max(image.size) <= LONGEST_SIDE:
                return jpeg
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=JPEG_QUALITY)
            return buffer.getvalue()
    except (OSError, ValueError):
        return jpeg
