"""The archive: what a run saved becomes a take, with its recipe inside, a poster, and its place in the history."""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import ExecutionError
from ltx_studio.events import Finished
from ltx_studio.graph.definitions import load_definitions
from ltx_studio.graph.files import VIDEOS
from ltx_studio.jobs import recipes
from ltx_studio.jobs.embedded import Embedded, embed
from ltx_studio.jobs.history import NewTake, poster_path
from ltx_studio.jobs.queue import Job
from ltx_studio.jobs.specs import Spec
from ltx_studio.jobs.takes import measure
from ltx_studio.media import Stager
from ltx_studio.settings import Settings

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

POSTER_SIDE = 512
"""Pixels of a poster's longer side, at most."""


class Archive:
    """Of one studio's folders. A job's take has one name, so carrying a job out twice gives one file, not two."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._outputs, self._posters = settings.outputs_dir, settings.posters_dir
        self.inputs = settings.kept_dir

    def check(self) -> None:
        """Refuse to begin what could not be kept.

        Raises:
            ExecutionError: The folder of outputs cannot be written.
        """
        try:
            self._outputs.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._outputs):
                pass
        except OSError as error:
            raise ExecutionError(
                f"Clips cannot be kept in {self._outputs}: {error.strerror}.",
                "It has to be a folder that can be written, on a disk with free space.",
            ) from None

    def keep(
        self, job: Job, spec: Spec, graph: Mapping[str, Any], made: Finished, measured: Mapping[str, Any]
    ) -> NewTake:
        """Put what a run saved at its place, in one piece, and remove what the run left.

        Raises:
            ExecutionError: The run saved nothing.
            OSError: It cannot be written; what was there before is still there.
        """
        if not made.outputs:
            raise ExecutionError("The workflow ran and saved no file.", "Give it an output node, such as Save Video.")
        recipe = recipes.current(spec, graph, self._settings)
        day = datetime.fromtimestamp(job.created).astimezone().strftime("%Y-%m-%d")
        name = self._outputs / day / f"{spec.mode}-{job.id}"
        name.parent.mkdir(parents=True, exist_ok=True)
        first, *others = sorted((output.path for output in made.outputs), key=_rank)
        path = name.with_suffix(first.suffix)
        with whole(path) as partial:
            if path.suffix == ".mp4":
                recipes.write(first, partial, recipe, self._embedded(spec, graph))
            else:
                shutil.copyfile(first, partial)
        for number, other in enumerate(others, 2):
            other.replace(name.with_name(f"{name.name}-{number}{other.suffix}"))
        self._make_poster(path, job.id)
        first.unlink(missing_ok=True)
        return NewTake(
            job.id, job.id, job.owner, spec.mode, job.created, path.relative_to(self._outputs).as_posix(),
            path.stat().st_size, spec.prompt, recipe.model_dump(mode="json"),
            {**measured, **(clip_of(path) if path.suffix in VIDEOS else {})}, aside=spec.fresh,
        )  # fmt: skip

    def _embedded(self, spec: Spec, graph: Mapping[str, Any]) -> Embedded | None:
        """What the file carries for ComfyUI's editor. A take is never lost for want of it."""
        stager = Stager(self._settings.inputs_dir, self._settings.models_dir / "loras")
        try:
            return embed(spec, graph, load_definitions(snapshot_path(self._settings)), stager)
        except Exception:
            log.exception("the graph of a %s could not be drawn", spec.mode)
            return None

    def _make_poster(self, take: Path, take_id: str) -> None:
        """A take is never lost for want of a poster either; `doctor --repair` makes it later."""
        try:
            write_poster(take, self.poster(take_id))
        except Exception:
            log.exception("%s has no poster", take.name)

    def poster(self, take: str) -> Path:
        """Of a take: a picture of its middle."""
        return poster_path(self._posters, take)

    def sweep(self, jobs: Iterable[str]) -> None:
        """Remove what runs of these jobs, which have no take, left among the outputs."""
        for job in jobs:
            for path in self._outputs.glob(f"*/*-{job}*"):
                with contextlib.suppress(OSError):
                    path.unlink()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Another path to write to; the file takes its place when it is whole."""
    partial = path.with_name(f".{path.name}.part")  # known by its name to whoever sweeps up after a kill
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _rank(path: Path) -> int:
    """What of a run's files is the take: an mp4, else another video, else the first."""
    return 0 if path.suffix == ".mp4" else 1 if path.suffix in VIDEOS else 2


def clip_of(path: Path) -> dict[str, Any]:
    """What the history says of a video: ``width`` and ``height`` in pixels, ``frames``, ``fps``."""
    take = measure(path)
    return {"width": take.width, "height": take.height, "frames": take.frames, "fps": take.fps}


def write_poster(take: Path, poster: Path) -> None:
    """A picture, or the frame in the middle of a video, as JPEG; nothing for what is neither.

    Raises:
        OSError: It cannot be written.
    """
    image = _middle(take) if take.suffix in VIDEOS else _picture(take)
    if image is None:
        return
    image.thumbnail((POSTER_SIDE, POSTER_SIDE))
    poster.parent.mkdir(parents=True, exist_ok=True)
    with whole(poster) as partial:
        image.convert("RGB").save(partial, format="JPEG", quality=85)


def _picture(path: Path) -> "Image.Image | None":
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            return opened.copy()
    except UnidentifiedImageError:
        return None


def _middle(video: Path) -> "Image.Image | None":
    import av

    with av.open(video) as container:
        stream = container.streams.video[0]
        middle, picture = (stream.duration or 0) // 2, None
        container.seek(int(middle), stream=stream)
        for picture in container.decode(stream):  # the last one, where none is after the middle
            if picture.pts is not None and picture.pts >= middle:
                break
        return None if picture is None else picture.to_image()
