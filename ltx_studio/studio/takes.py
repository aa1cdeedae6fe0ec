"""Takes as their owners use them: the history, its files, and the requests that they were made from."""

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ltx_studio.errors import RequestError, SetupError
from ltx_studio.families import ModelSet
from ltx_studio.models import get_registry
from ltx_studio.queue.database import Database
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.specs import Spec, read_spec
from ltx_studio.queue.workflow_spec import WorkflowSpec
from ltx_studio.settings import Settings
from ltx_studio.takes.disk_usage import Room
from ltx_studio.takes.history import PAGE, UNDO_SECONDS, History, Page
from ltx_studio.takes.records import TakeRecord

if TYPE_CHECKING:
    from ltx_studio.takes.estimates import Estimate, Estimator
    from ltx_studio.takes.replay import Comparison

log = logging.getLogger(__name__)


class Takes:
    """The takes of one studio. Each owner sees only their own."""

    PAGE = PAGE
    """How many takes a page has unless asked otherwise."""
    UNDO_SECONDS = UNDO_SECONDS
    """How long the file of a take that was deleted with `delete_soon` stays."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._history = History(database, settings.outputs_dir, settings.posters_dir)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the takes without the rest of the studio, for commands that only look or change.

        Raises:
            DatabaseDamagedError: The database is damaged.
            SetupError: The database or its folder cannot be used.
        """
        return cls(settings, Database(settings.database_file))

    def page(
        self,
        owner: str,
        *,
        search: str = "",
        mode: str | None = None,
        favourites: bool = False,
        before: int | None = None,
        limit: int = PAGE,
    ) -> Page:
        """Return the owner's newest matching takes; see `History.page`."""
        return self._history.page(owner, search=search, mode=mode, favourites=favourites, before=before, limit=limit)

    def get(self, take_id: str, owner: str) -> TakeRecord:
        """Return one of the owner's takes, including one that is set aside.

        Raises:
            RequestError: The owner has no such take.
        """
        return self._history.get(take_id, owner)

    def path(self, take: TakeRecord) -> Path:
        """Return the path of a take's video file."""
        return self._history.path(take)

    def poster(self, take_id: str) -> Path:
        """Return the path of a take's poster, a frame from the middle; takes with only sound have none."""
        return self._history.poster(take_id)

    def is_missing(self, take: TakeRecord) -> bool:
        """Return whether a take's file is missing, as when its disk is not mounted; checked on each call."""
        return self._history.is_missing(take)

    def has_lost_clips(self) -> bool:
        """Return whether the output folder has clips, which an empty history does not know."""
        return next(self._settings.outputs_dir.glob("*/*.mp4"), None) is not None

    def set_favourite(self, take_id: str, owner: str, *, favourite: bool = True) -> None:
        """Set whether a take is a favourite, which pruning keeps.

        Raises:
            RequestError: The owner has no such take.
        """
        self._history.favour(take_id, owner, favourite=favourite)

    def tag(self, take_id: str, owner: str, tags: Sequence[str]) -> None:
        """Replace a take's tags.

        Raises:
            RequestError: The owner has no such take, or the tags are too many or too long.
        """
        self._history.tag(take_id, owner, tags)

    def delete(self, take_id: str, owner: str) -> None:
        """Remove a take and its file.

        Raises:
            RequestError: The owner has no such take.
        """
        self._history.delete(take_id, owner)

    def delete_soon(self, take_id: str, owner: str) -> None:
        """Remove a take, and its file after `UNDO_SECONDS`; `undelete` puts it back until then.

        If this process ends before, the next start removes the file.

        Raises:
            RequestError: The owner has no such take.
        """
        self._history.delete_soon(take_id, owner)
        self._remove_later()

    def delete_unmarked_soon(self, take_ids: Sequence[str], owner: str) -> list[str]:
        """Do the same for those of the owner's takes that are no favourites; return their ids."""
        gone = self._history.delete_unmarked_soon(take_ids, owner)
        if gone:
            self._remove_later()
        return gone

    def _remove_later(self) -> None:
        timer = threading.Timer(UNDO_SECONDS + 1, self._remove_leaving)
        timer.daemon = True
        timer.start()

    def undelete(self, take_id: str, owner: str) -> None:
        """Put a take back that `delete_soon` removed.

        Raises:
            RequestError: The owner has no such take, or its file is gone.
        """
        self._history.undelete(take_id, owner)

    def room(self, owner: str) -> Room:
        """Return the disk usage of all of the owner's takes."""
        return self._history.room(owner)

    def prunable(self, owner: str, *, keep: int | None = None, keep_bytes: int | None = None) -> Room:
        """Return the disk usage of the takes that `prune` would remove now.

        Raises:
            RequestError: A limit is negative.
        """
        return self._history.prunable(owner, keep=keep, keep_bytes=keep_bytes)

    def prune(self, owner: str, *, keep: int | None = None, keep_bytes: int | None = None) -> list[str]:
        """Remove the owner's oldest takes, never a favourite, and return their ids; see `History.prune`.

        Raises:
            RequestError: A limit is negative.
        """
        return self._history.prune(owner, keep=keep, keep_bytes=keep_bytes)

    def free_inputs(self) -> int:
        """Remove the copies of users' files that nothing needs any more, and return how many bytes that freed.

        Raises:
            sqlite3.Error: The database cannot be used; nothing is removed.
        """
        from ltx_studio.takes import unused_inputs

        return unused_inputs.free(self._database, self._settings.kept_dir)

    def remove_leaving(self) -> None:
        """Finish the removal of takes that an ended process began."""
        self._history.remove_leaving()

    def _remove_leaving(self) -> None:
        try:
            self._history.remove_leaving()
        except (sqlite3.Error, SetupError):  # the next start removes them
            log.exception("deleted takes could not be removed yet")

    def estimate(self, spec: Spec) -> "Estimate | None":
        """Return how long a request may take here, by earlier takes; None if there is nothing to compare with."""
        return self._estimator(spec)

    @cached_property
    def _estimator(self) -> "Estimator":
        from ltx_studio.takes.estimates import Estimator

        return Estimator(self._history, self._settings)

    def request(self, take: TakeRecord, model_set: ModelSet) -> Spec:
        """Return the request of a take; files that are gone are reported when it is submitted.

        Args:
            take: The take.
            model_set: The model set to use, under the id of the take's own, if that one is unknown here.

        Raises:
            RequestError: It cannot be read.
        """
        return self._read({**take.recipe, "mode": take.mode}, model_set)

    def restore(self, video: Path, owner: str, model_set: ModelSet) -> Spec:
        """Return the request in a video that was made here or elsewhere, without files of other owners.

        Files that are gone are left in it, for `Recipes.missing_files` to name.

        Args:
            video: The video.
            owner: Who asks.
            model_set: See `request`.

        Raises:
            RequestError: The video has no recipe, or it cannot be read.
        """
        from ltx_studio.takes import recipes, replay

        recipe = recipes.read(video)
        try:
            spec = replay.spec_of(recipe, self._settings)
        except RequestError:
            spec = self._read({**recipe.request()}, model_set)  # one of its files is missing; the rest is here
        return replay.own_part(spec, self._history, owner)

    @staticmethod
    def has_recipe(video: Path) -> bool:
        """Return whether a video carries a recipe, be it readable here or not.

        Raises:
            RequestError: The file cannot be read.
        """
        from ltx_studio import sandbox
        from ltx_studio.takes import recipes

        return recipes.TAG in sandbox.read(recipes.tags, video)

    def _read(self, request: Mapping[str, Any], model_set: ModelSet) -> Spec:
        asked = request.get("model_set")
        if request["mode"] == WorkflowSpec.mode or asked in get_registry(self._settings).sets:
            return read_spec(request, self._settings)
        spec = read_spec({**request, "model_set": model_set.id}, self._settings)
        return replace(spec, model_set=replace(model_set, id=str(asked))) if isinstance(spec, JobSpec) else spec

    def compare(self, video: Path, take: TakeRecord) -> "Comparison":
        """Compare a video with a take, frame by frame and sample by sample.

        Raises:
            RequestError: A clip cannot be read to its end.
        """
        from ltx_studio.takes.replay import compare

        return compare(video, self.path(take))

    @staticmethod
    def check_destination(path: Path) -> Path:
        """Refuse a destination for `export` that cannot be written; create its folder.

        Raises:
            RequestError: It is a folder, not an .mp4, or its folder cannot be written.
        """
        from ltx_studio.takes import check_destination

        return check_destination(path)

    def export(self, take: TakeRecord, destination: Path) -> Path:
        """Copy a take's file to `destination`, whole or not at all, and return where it is.

        Raises:
            OSError: It cannot be written.
        """
        from ltx_studio.takes import export

        return export(self.path(take), destination)
