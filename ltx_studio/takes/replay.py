"""Making a take again from its recipe, and checking that it is the same."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ltx_studio.advice import Advice, Do
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import RequestError
from ltx_studio.graph.definitions import load_definitions
from ltx_studio.media import InputStore
from ltx_studio.media.input_store import is_here, sha256
from ltx_studio.media.open import open_media
from ltx_studio.modes import get_mode
from ltx_studio.queue.queue import LOCAL
from ltx_studio.queue.specs import Spec, read_spec
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes.history import History
from ltx_studio.takes.recipes import Recipe, current

NOT_HERE = "not-here"
"""A name that no kept file has."""
_SHA256_DIGITS = 64


def spec_of(
    recipe: Recipe, settings: Settings, files: Mapping[str, Path] | None = None, *, trusted: bool = False
) -> Spec:
    """Return the request of a recipe, with the very files that the take was made from.

    Args:
        recipe: A take's recipe.
        settings: Where such files are kept.
        files: The current paths by parameter, for files that are not kept here.
        trusted: As in `check_safety`, for a take of the user's workflow.

    Raises:
        RequestError: A file is missing, or is not the one that the take was made from; or the mode, preset or
            model set does not exist.
    """
    given = files or {}
    unknown = sorted(set(given) - set(recipe.inputs))
    if unknown:
        raise RequestError(
            f"The clip has no file {unknown[0]!r}.",
            f"Its files are: {', '.join(recipe.inputs) or 'none'}.",
        )
    spec = read_spec(recipe.request(), settings)
    if isinstance(spec, WorkflowSpec):
        spec.check(load_definitions(snapshot_path(settings)), trusted=trusted)
    kept, swapped = spec.files(), {}
    if set(recipe.inputs) != set(kept):
        raise RequestError("The recipe was changed: its files do not match its request.", "Use another video.")
    for name, digest in recipe.inputs.items():
        if name in given:
            _check(name, given[name], digest)
            swapped[kept[name]] = InputStore(settings.kept_dir)(given[name], linked=name.startswith("loras."))
        elif not _exists(kept[name]):
            raise RequestError(
                f"The file for {name} is missing.",
                f"Add it again. Its SHA-256 is {digest[:_SHA256_DIGITS]}.",
                advice=Advice.to(Do.GIVE_INPUT, name=name, sha256=digest[:_SHA256_DIGITS]),
            )
        else:
            _check(name, kept[name], digest)
    return spec.with_files(lambda path, kind: swapped.get(path, path))  # noqa: ARG005


def _exists(path: Path) -> bool:
    """Return whether a file exists; a recipe from elsewhere may name one that no file system accepts."""
    try:
        return path.exists()
    except OSError:
        return False


def _check(name: str, path: Path, digest: str) -> None:
    found = sha256(path)
    if found != digest:
        raise RequestError(
            f"The file for {name} is not the one that the clip was made from: its SHA-256 is {found[:12]}…, "
            f"not {digest[:12]}….",
            "Add the right file.",
            advice=Advice.to(Do.GIVE_RIGHT_INPUT, name=name),
        )


def own_part(spec: Spec, history: History, owner: str) -> Spec:
    """Return a request without other owners' files: a received clip names its files, and some may be kept here.

    Args:
        spec: From a recipe that somebody else may have written.
        history: The takes that show who has used a file.
        owner: The owner whose files stay; `LOCAL` has access to all of them anyway.
    """
    if owner == LOCAL:
        return spec
    return spec.with_files(
        lambda path, kind: path if history.has_used(owner, path.stem) else path.with_name(NOT_HERE)  # noqa: ARG005
    )


def missing_files(spec: Spec) -> list[str]:
    """Return the titles of a request's files that are missing here or have changed."""
    return [_title(spec, name) for name, path in spec.files().items() if not is_here(path)]


def _title(spec: Spec, name: str) -> str:
    """Return the title that the user sees for a file of a request."""
    first, _, rest = name.partition(".")
    if isinstance(spec, WorkflowSpec):
        node = spec.graph.get(first, {})
        return str(node.get("_meta", {}).get("title") or node.get("class_type", name))
    if first == "loras":
        return f"LoRA {int(rest) + 1}"
    return str(get_mode(spec.mode).params.model_fields[name].title)


def changes(recipe: Recipe, settings: Settings, spec: Spec) -> Iterator[str]:
    """Yield each difference from where the take was made, as a sentence; any may change the result."""
    now = current(spec, recipe.graph, settings)
    for name, version in recipe.versions.items():
        if now.versions.get(name) != version:
            yield f"{name} is {now.versions.get(name, 'not installed')}; it was {version}."
    for key, used in recipe.models.items():
        here = now.models.get(key)
        if here is None:
            yield f"The model file {key} is missing."
        elif here.size != used.size or (here.sha256 and used.sha256 and here.sha256 != used.sha256):
            yield f"The model file {key} has changed."


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two clips.

    Attributes:
        frames: Frames of the first clip.
        others: Frames of the second clip.
        differing: How many of the frames that both have differ.
        first: The index of the first of them, from 0; None if there is none.
        most: The largest difference of a pixel's colour, out of 255.
        sound_is_same: Whether all samples of the sound are equal.
        played: Other differences, one sentence each: when frames are shown, how fast the sound is.
    """

    frames: int
    others: int
    differing: int
    first: int | None
    most: int
    sound_is_same: bool
    played: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        return self.frames == self.others and not self.differing and self.sound_is_same and not self.played


def compare(one: Path, other: Path) -> Comparison:
    """Compare every frame and every sound sample of two clips, and their times.

    Raises:
        RequestError: A clip cannot be read to its end.
    """
    counts, differing, first, most, late = [0, 0], 0, None, 0, None
    for index, (left, right) in enumerate(zip_longest(_frames(one), _frames(other))):
        counts[0] += left is not None
        counts[1] += right is not None
        if left is None or right is None:
            continue
        apart = 255 if left[1].shape != right[1].shape else int(np.abs(left[1].astype(np.int16) - right[1]).max())
        if apart:
            differing, first, most = differing + 1, index if first is None else first, max(most, apart)
        if late is None and abs(left[0] - right[0]) > SAME_SECONDS:
            late = index
    same, in_time = True, True
    for left, right in zip_longest(_sound(one), _sound(other)):
        same &= left is not None and right is not None and np.array_equal(left[1], right[1])
        in_time &= left is None or right is None or abs(left[0] - right[0]) <= SAME_SECONDS
    played = [] if late is None else [f"Frame times differ from frame {late + 1} on."]
    played += [] if in_time else ["The timing of the sound differs."]
    (way, seconds), (other_way, other_seconds) = _way(one), _way(other)
    if way != other_way:
        played.append(f"The file has {way}; the new one has {other_way}.")
    if abs(seconds - other_seconds) > LAST_SECONDS:
        played.append(f"The frames last {seconds:.2f} s, but {other_seconds:.2f} s in the new file.")
    return Comparison(counts[0], counts[1], differing, first, most, same, tuple(played))


SAME_SECONDS = 0.002
"""The tolerance for the time of a frame, which some containers round to milliseconds."""
LAST_SECONDS = 0.06
"""The tolerance for the end, as not every container says how long the last frame is shown."""


def _frames(path: Path) -> "Iterator[tuple[float, np.ndarray[Any, np.dtype[np.uint8]]]]":
    """Yield each frame with its time in seconds; shape (height, width, 3)."""
    with _opened(path) as container:
        for frame in container.decode(video=0):
            yield float(frame.time or 0.0), frame.to_ndarray(format="rgb24")


def _sound(path: Path) -> "Iterator[tuple[float, np.ndarray[Any, Any]]]":
    """Yield pieces of the sound, each with its time in seconds."""
    with _opened(path) as container:
        if container.streams.audio:
            for frame in container.decode(audio=0):
                yield float(frame.time or 0.0), frame.to_ndarray()


def _way(path: Path) -> tuple[str, float]:
    """Return a clip's streams in words, with what a player needs to know, and the seconds of picture that it shows."""
    told, seconds = [], 0.0
    with _opened(path) as container:
        for stream in container.streams:
            if stream.type == "audio":
                told.append(f"sound of {stream.rate} Hz, {stream.layout.name}")
            elif stream.type == "video":
                frame = next(container.decode(stream))
                turned = f", turned by {frame.rotation}°" if frame.rotation else ""
                shape = stream.sample_aspect_ratio
                told.append(f"pictures{turned}" + (f" with pixels of {shape}" if shape not in (None, 0, 1) else ""))
                seconds = float((stream.duration or 0) * stream.time_base) or (container.duration or 0) / 1_000_000
            else:
                told.append(str(stream.type))
    return " and ".join(told), seconds


@contextmanager
def _opened(path: Path) -> "Iterator[Any]":
    import av

    try:
        with open_media(path) as container:
            yield container
    except (av.error.FFmpegError, OSError) as error:
        raise RequestError(f"{path.name} cannot be read completely: {error}.", "Use an undamaged copy.") from None
