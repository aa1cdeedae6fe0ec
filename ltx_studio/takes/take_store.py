"""The take store: turns a run's files into a take, with its recipe inside, a poster, and its row in the history."""

import contextlib
import logging
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltx_studio.engine import run_folders
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.errors import ExecutionError, RequestError
from ltx_studio.events import Finished, Output
from ltx_studio.fileio import move, sweep_partials, whole
from ltx_studio.graph.definitions import load_definitions
from ltx_studio.media import InputPreparer
from ltx_studio.media.open import open_media, opened_picture
from ltx_studio.models import get_registry
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.jobs import Job
from ltx_studio.queue.specs import Spec, read_spec
from ltx_studio.settings import Settings
from ltx_studio.takes import provenance, recipes
from ltx_studio.takes.clip_files import measure
from ltx_studio.takes.editor_metadata import EditorMetadata, embed
from ltx_studio.takes.history import poster_path
from ltx_studio.takes.provenance import Provenance
from ltx_studio.takes.records import NewTake
from ltx_studio.workflow_files.read import VIDEOS

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

NO_RECIPE_INSIDE = "The clip was saved without its recipe in the file ({why}); the history has the recipe."
NO_WORKFLOW_INSIDE = "The clip was saved without its workflow for ComfyUI's editor ({why})."
UNMEASURED: Mapping[str, Any] = {"seconds": 0.0, "stages": [], "peak_memory": 0}
"""The measurements of a run whose end was not observed."""

POSTER_SIDE = 512
"""The longer side of a poster in pixels, at most."""


class TakeStore:
    """The takes in one studio's folders. A job's take has one name, so running a job twice gives one file, not two."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._outputs, self._posters = settings.outputs_dir, settings.posters_dir
        self.inputs = settings.kept_dir

    def check(self) -> None:
        """Refuse to start a run whose result could not be kept.

        Raises:
            ExecutionError: The output folder cannot be written.
        """
        try:
            self._outputs.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._outputs):
                pass
        except OSError as error:
            raise ExecutionError(
                f"Clips cannot be saved to {self._outputs}: {error.strerror}.",
                "Check that the folder is writable and its disk has free space.",
            ) from None

    def spec(self, job: Job) -> Spec:
        """Return a job's request, with the studio's copies of its files.

        Raises:
            RequestError: The request cannot be read; see `read_spec`.
        """
        return read_spec(job.spec, self._settings)

    def keep(
        self, job: Job, spec: Spec, graph: Mapping[str, Any], made: Finished, measured: Mapping[str, Any]
    ) -> NewTake:
        """Move a run's files from staging to their final place, whole, and remove the run's folder.

        A finished clip is never lost because some of its metadata cannot be written: it is then kept without, and
        ``measured["note"]`` says so. After a kill at any moment the take is in one of the two places; see `recovered`.

        Raises:
            ExecutionError: The run saved nothing.
            OSError: Not even renaming works. What was there before is unchanged, and the clip stays in staging.
        """
        if not made.outputs:
            raise ExecutionError(
                "The workflow finished without saving a file.", "Add an output node, such as Save Video."
            )
        name = self._name(job, spec.mode)
        name.parent.mkdir(parents=True, exist_ok=True)
        first, *others = sorted((output.path for output in made.outputs), key=_rank)
        path = name.with_suffix(first.suffix)
        source = self._provenance(spec, graph)
        for number in range(len(others), 0, -1):  # the take last, so that all is there with it; after a kill, the
            other = others[number - 1]  # files that are still in staging get the numbers that they would have got
            self._put_other(other, name.with_name(f"{name.name}-{number + 1}{other.suffix}"), source)
        recipe = self._recipe(spec, graph)
        note = self._put(first, path, recipe, self._embedded(spec, graph), source)
        run_folders.discard_run(self._settings.staging_dir, job.id)
        return self._take(job, spec, path, recipe, {**measured, **({"note": note} if note else {})})

    def discard(self, take: NewTake) -> None:
        """Remove the files of a take that does not come into the history."""
        path = self._outputs / take.file
        with contextlib.suppress(OSError):
            for each in [*path.parent.glob(f"{escape(path.stem)}*"), self.poster(take.id)]:
                each.unlink(missing_ok=True)

    def _name(self, job: Job, mode: str) -> Path:
        """Return the path of a job's take, without a suffix."""
        day = datetime.fromtimestamp(job.created).astimezone().strftime("%Y-%m-%d")
        return self._outputs / day / f"{mode}-{job.id}"

    def _recipe(self, spec: Spec, graph: Mapping[str, Any]) -> recipes.Recipe:
        try:
            return recipes.current(spec, graph, self._settings)
        except Exception:
            log.exception("the recipe of a %s is incomplete", spec.mode)
            return recipes.bare(spec, graph)

    def _provenance(self, spec: Spec, graph: Mapping[str, Any]) -> Provenance | None:
        try:
            return provenance.of_take(spec, graph)
        except Exception:
            log.exception("the provenance of a %s is unknown", spec.mode)
            return None

    def _put(
        self, made: Path, path: Path, recipe: recipes.Recipe, embedded: EditorMetadata | None, source: Provenance | None
    ) -> str:
        """Move a clip to its place with as much metadata as possible; return why some is missing, as a sentence."""
        if made.suffix != ".mp4":
            self._put_other(made, path, source)
            return ""
        note = ""
        for inside in [None] if embedded is None else [embedded, None]:
            try:
                with whole(path) as partial:
                    recipes.write(made, partial, recipe, inside, source)
            except Exception as error:
                log.exception("%s could not be written with its recipe and workflow", path.name)
                why = getattr(error, "strerror", None) or str(error) or type(error).__name__
                note = (NO_RECIPE_INSIDE if inside is None else NO_WORKFLOW_INSIDE).format(why=why)
            else:
                with contextlib.suppress(OSError):
                    made.unlink(missing_ok=True)
                return note
        move(made, path)
        return note

    def _put_other(self, made: Path, path: Path, source: Provenance | None) -> None:
        """Move another file of a run to its place, with its provenance if its kind can carry it."""
        if source is not None and provenance.can_carry(made):
            try:
                with whole(path) as partial:
                    provenance.copy(made, partial, source)
            except Exception:
                log.exception("%s could not be written with its provenance", path.name)
            else:
                with contextlib.suppress(OSError):
                    made.unlink(missing_ok=True)
                return
        move(made, path)

    def _take(self, job: Job, spec: Spec, path: Path, recipe: recipes.Recipe, measured: Mapping[str, Any]) -> NewTake:
        """Make the poster of a clip in its final place, and return its entry for the history."""
        self._make_poster(path, job.id)
        return NewTake(
            job.id, job.id, job.owner, spec.mode, job.created, path.relative_to(self._outputs).as_posix(),
            path.stat().st_size, spec.prompt, recipe.model_dump(mode="json"), {**measured, **self._clip(path)},
            aside=spec.fresh,
        )  # fmt: skip

    def _clip(self, path: Path) -> dict[str, Any]:
        try:
            return clip_of(path) if path.suffix in VIDEOS else {}
        except Exception:
            log.exception("%s could not be measured", path.name)
            return {}

    def recovered(self, job: Job, spec: Spec) -> NewTake | None:
        """Return the take of a job whose clip was finished, but not recorded because of a kill or an error; else None.

        Args:
            job: A job that has no take and does not run now.
            spec: The job's request.

        Raises:
            StudioError: The graph cannot be built again, and the clip carries no recipe.
            OSError: The clip cannot be moved; it stays in place.
        """
        name = self._name(job, spec.mode)
        path = next((path for path in sorted(name.parent.glob(f"{name.name}.*")) if path.is_file()), None)
        older = [made for made in sorted(self._outputs.glob(f"*/*-{job.id}.mp4")) if made != path]
        if path is not None:
            for made in older:
                made.unlink(missing_ok=True)  # the run's own file, of which this is the copy with the recipe
            run_folders.discard_run(self._settings.staging_dir, job.id)
            return self._take(job, spec, path, self._recipe_at(path, spec), UNMEASURED)
        files = run_folders.finished(self._settings.staging_dir, job.id)
        if not files and len(older) == 1 and isinstance(spec, JobSpec):
            files = tuple(older)  # of an earlier version, which first moved a run's files to the outputs
        if not files:
            return None
        made_of = Finished(tuple(Output(file, "") for file in files), 0.0)
        return self.keep(job, spec, self._graph(spec), made_of, UNMEASURED)

    def _recipe_at(self, path: Path, spec: Spec) -> recipes.Recipe:
        """Return the recipe that a take carries; if it carries none, one from its request."""
        if path.suffix == ".mp4":
            with contextlib.suppress(RequestError):
                return recipes.read(path)
        return self._recipe(spec, self._graph(spec))

    def _graph(self, spec: Spec) -> Mapping[str, Any]:
        return spec.build(self._preparer()).graph

    def _preparer(self) -> InputPreparer:
        return InputPreparer(self._settings.inputs_dir, self._settings.models_dir / "loras")

    def _embedded(self, spec: Spec, graph: Mapping[str, Any]) -> EditorMetadata | None:
        """Return the graph for ComfyUI's editor; None on any error, so that the take is never lost."""
        try:
            definitions, registry = load_definitions(snapshot_path(self._settings)), get_registry(self._settings)
            return embed(spec, graph, definitions, registry, self._preparer())
        except Exception:
            log.exception("the graph of a %s could not be drawn", spec.mode)
            return None

    def _make_poster(self, take: Path, take_id: str) -> None:
        """Make a take's poster; on any error the take is kept, and `doctor --repair` makes the poster later."""
        try:
            write_poster(take, self.poster(take_id))
        except Exception:
            log.exception("%s has no poster", take.name)

    def poster(self, take_id: str) -> Path:
        """Return the path of a take's poster, a frame from the middle."""
        return poster_path(self._posters, take_id)

    def sweep(self, jobs: Iterable[str]) -> None:
        """Remove partial files of killed processes, and files left behind by runs of these jobs, which have no take."""
        sweep_partials(self.inputs, self._posters, *self._outputs.glob("*/"))
        for job in jobs:
            run_folders.discard_run(self._settings.staging_dir, job)
            for path in self._outputs.glob(f"*/*-{job}*"):
                with contextlib.suppress(OSError):
                    path.unlink()


def _rank(path: Path) -> int:
    """Return the rank of a run's file; the lowest is the take: an mp4, else another video, else any other file."""
    return 0 if path.suffix == ".mp4" else 1 if path.suffix in VIDEOS else 2


def clip_of(path: Path) -> dict[str, Any]:
    """Return a video's measurements: ``width`` and ``height`` in pixels, ``frames``, ``fps``."""
    take = measure(path)
    return {"width": take.width, "height": take.height, "frames": take.frames, "fps": take.fps}


def write_poster(take: Path, poster: Path) -> None:
    """Write a picture, or the middle frame of a video, as JPEG; do nothing for other files.

    Raises:
        OSError: The poster cannot be written.
    """
    image = _middle(take) if take.suffix in VIDEOS else _picture(take)
    if image is None:
        return
    image.thumbnail((POSTER_SIDE, POSTER_SIDE))
    poster.parent.mkdir(parents=True, exist_ok=True)
    with whole(poster) as partial:
        image.convert("RGB").save(partial, format="JPEG", quality=85)


def _picture(path: Path) -> "Image.Image | None":
    from PIL import UnidentifiedImageError

    try:
        with opened_picture(path) as opened:
            opened.draft(None, (POSTER_SIDE, POSTER_SIDE))
            opened.thumbnail((POSTER_SIDE, POSTER_SIDE))
            small: Image.Image = opened.copy()
            return small
    except UnidentifiedImageError:
        return None


def _middle(video: Path) -> "Image.Image | None":
    with open_media(video) as container:
        stream = container.streams.video[0]
        middle, picture = (stream.duration or 0) // 2, None
        container.seek(int(middle), stream=stream)
        for picture in container.decode(stream):  # the last frame, if none is after the middle
            if picture.pts is not None and picture.pts >= middle:
                break
        return None if picture is None else picture.to_image()
