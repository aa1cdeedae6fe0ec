"""Making a take again from its recipe, and telling whether it is the same one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import RequestError
from ltx_studio.graph.definitions import load_definitions
from ltx_studio.jobs.own import OwnSpec
from ltx_studio.jobs.recipes import Recipe, current
from ltx_studio.jobs.specs import Spec, read_spec
from ltx_studio.media import Keeper
from ltx_studio.media.keep import sha256
from ltx_studio.models import get_registry
from ltx_studio.settings import Settings


def spec_of(
    recipe: Recipe, settings: Settings, files: Mapping[str, Path] | None = None, *, trusted: bool = False
) -> Spec:
    """The request that a recipe tells of, with the very files that it was made of.

    Args:
        recipe: Of a take.
        settings: Where such files are kept.
        files: Where they are now, by parameter, for those that are not kept here.
        trusted: As of `check_safety`, for the take of a workflow of somebody's own.

    Raises:
        RequestError: A file is not here, or not the one that the take was made of; or there is no such mode, preset
            or model set.
    """
    given = files or {}
    unknown = sorted(set(given) - set(recipe.inputs))
    if unknown:
        raise RequestError(
            f"The take was made without a file {unknown[0]!r}.",
            f"Its files are: {', '.join(recipe.inputs) or 'none'}.",
        )
    try:
        spec = read_spec(recipe.request(), settings.kept_dir)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RequestError(
            "The recipe asks for what this studio does not know.", "It may be of a newer studio: update it.",
            details=str(error),
        ) from None  # fmt: skip
    if isinstance(spec, OwnSpec):
        spec.check(load_definitions(snapshot_path(settings)), trusted=trusted)
    else:
        get_registry(settings).get_set(spec.model_set)
    kept, swapped = spec.files(), {}
    if set(recipe.inputs) != set(kept):
        raise RequestError("The recipe's files are not those of its request.", "It was changed: use another video.")
    for name, digest in recipe.inputs.items():
        if name in given:
            _check(name, given[name], digest)
            swapped[kept[name]] = Keeper(settings.kept_dir)(given[name], linked=name.startswith("loras."))
        elif not kept[name].exists():
            raise RequestError(
                f"The file for {name} is no longer kept here.",
                f"Give it: `--file {name}=PATH`; its sha256 is {digest}.",
            )
        else:
            _check(name, kept[name], digest)
    return spec.with_files(lambda path, kind: swapped.get(path, path))  # noqa: ARG005


def _check(name: str, path: Path, digest: str) -> None:
    found = sha256(path)
    if found != digest:
        raise RequestError(
            f"The file for {name} is not the one that the take was made of: its sha256 is {found[:12]}…, "
            f"not {digest[:12]}….",
            f"Give the right one: `--file {name}=PATH`.",
        )


def changes(recipe: Recipe, settings: Settings, spec: Spec) -> Iterator[str]:
    """What is different here from where the take was made, each as a sentence; any may change what comes out."""
    now = current(spec, recipe.graph, settings)
    for name, version in recipe.versions.items():
        if now.versions.get(name) != version:
            yield f"{name} is {now.versions.get(name, 'not here')}, it was {version}."
    for key, used in recipe.models.items():
        here = now.models.get(key)
        if here is None:
            yield f"The model file {key} is not here."
        elif here.size != used.size or (here.sha256 and used.sha256 and here.sha256 != used.sha256):
            yield f"The model file {key} is another one."


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two clips.

    Attributes:
        frames: Of the first.
        others: Of the second.
        differing: Of those that both have, so many are not alike.
        first: The first of them, from 0; None when there is none.
        most: The largest difference of a pixel's colour, of 255.
        sound_is_same: Whether each sample of the sound is alike.
    """

    frames: int
    others: int
    differing: int
    first: int | None
    most: int
    sound_is_same: bool

    @property
    def identical(self) -> bool:
        return self.frames == self.others and not self.differing and self.sound_is_same


def compare(one: Path, other: Path) -> Comparison:
    """Look at every frame and hear every sample of two clips."""
    counts, differing, first, most = [0, 0], 0, None, 0
    for index, (left, right) in enumerate(zip_longest(_frames(one), _frames(other))):
        counts[0] += left is not None
        counts[1] += right is not None
        if left is None or right is None:
            continue
        apart = 255 if left.shape != right.shape else int(np.abs(left.astype(np.int16) - right).max())
        if apart:
            differing, first, most = differing + 1, index if first is None else first, max(most, apart)
    sounds = zip_longest(_sound(one), _sound(other))
    same = all(left is not None and right is not None and np.array_equal(left, right) for left, right in sounds)
    return Comparison(counts[0], counts[1], differing, first, most, same)


def _frames(path: Path) -> "Iterator[np.ndarray[Any, np.dtype[np.uint8]]]":
    """Each (height, width, 3)."""
    import av

    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def _sound(path: Path) -> "Iterator[np.ndarray[Any, Any]]":
    import av

    with av.open(path) as container:
        if container.streams.audio:
            for frame in container.decode(audio=0):
                yield frame.to_ndarray()
