"""Parts of a finished video for use as inputs: its first or last frame as a picture, its sound."""

from pathlib import Path

from ltx_studio.errors import RequestError
from ltx_studio.media.open import audio_stream, frames_of, open_media, video_stream


def write_picture(clip: Path, destination: Path, *, last: bool) -> Path:
    """Write the first or the last frame of `clip` as a PNG; return its path.

    Raises:
        RequestError: It contains no picture.
    """
    with open_media(clip) as container:
        stream = video_stream(container)
        found = None
        for frame in () if stream is None else frames_of(container, stream):
            found = frame
            if not last:
                break
        if found is None:
            raise RequestError(f"{clip.name} has no pictures.", "Choose a clip with pictures.")
        found.to_image().save(destination)
    return destination


def write_sound(clip: Path, destination: Path) -> Path:
    """Write the sound of `clip`, not re-encoded, to a file that ends in ``.m4a``; return its path.

    Raises:
        RequestError: It has no sound.
    """
    import av

    with open_media(clip) as given:
        stream = audio_stream(given)
        if stream is None:
            raise RequestError(f"{clip.name} has no sound.", "Choose a clip with sound.")
        with av.open(destination, "w", format="ipod") as made:
            copied = made.add_stream_from_template(stream)
            for packet in given.demux(stream):
                if packet.dts is not None:
                    packet.stream = copied
                    made.mux(packet)
    return destination
