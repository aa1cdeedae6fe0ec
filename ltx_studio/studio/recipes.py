"""Recipes in video files: how a clip was made, and the request that makes it again. Needs no database."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ltx_studio.queue.specs import Spec
from ltx_studio.settings import Settings

if TYPE_CHECKING:
    from ltx_studio.takes.recipes import Recipe


class Recipes:
    """The recipes of videos, read with the files and model sets of one studio."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @staticmethod
    def read(video: Path) -> "Recipe":
        """Return the recipe in a video.

        Raises:
            RequestError: The file cannot be read, or has no recipe.
        """
        from ltx_studio.takes import recipes

        return recipes.read(video)

    def request(self, recipe: "Recipe", files: Mapping[str, Path] | None = None) -> Spec:
        """Return the request of a recipe, with the very files that the clip was made from.

        Args:
            recipe: From `read`.
            files: The current paths by parameter, for files that are not kept here.

        Raises:
            RequestError: A file is missing, or is not the one that the clip was made from; or the mode, preset or model
                set does not exist.
        """
        from ltx_studio.takes import replay

        return replay.spec_of(recipe, self._settings, files)

    def changes(self, recipe: "Recipe", spec: Spec) -> list[str]:
        """Return each difference from where the clip was made, as a sentence; any may change the result."""
        from ltx_studio.takes import replay

        return list(replay.changes(recipe, self._settings, spec))

    @staticmethod
    def missing_files(spec: Spec) -> list[str]:
        """Return the titles of a request's files that are missing here or have changed."""
        from ltx_studio.takes import replay

        return replay.missing_files(spec)
