"""Recipes: everything needed to make a take again, stored in its video file."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltx_studio import __version__, sandbox
from ltx_studio.engine import comfyui
from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.graph import check_graph
from ltx_studio.media.input_store import sha256
from ltx_studio.media.open import locate, why_unread
from ltx_studio.media.open import tags as tags_of
from ltx_studio.media.xmp import append_to_mp4
from ltx_studio.models import ModelFile, Store, get_registry
from ltx_studio.models.verify import known_sha256
from ltx_studio.queue.specs import Spec
from ltx_studio.settings import Settings
from ltx_studio.takes.editor_metadata import EditorMetadata
from ltx_studio.takes.provenance import Provenance
from ltx_studio.workflow_files.read import RECIPE_TAG

TAG = RECIPE_TAG
"""The recipe's tag in the mp4. ComfyUI's editor reads two others: `prompt` (API format), `workflow` (editor format)."""
_OWN_VIDEO = "Use a video that the studio made."
SOON_HASHED = 256 * 1024 * 1024
"""The most bytes of a file to hash on the spot. A larger file without a known hash is identified by its size alone."""


class ModelUsed(BaseModel):
    """A model file: its size in bytes, and its sha256 if it is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    sha256: str = ""


class Recipe(BaseModel):
    """How a take was made. It identifies files by their content, never by their location, and names no person."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    recipe: Literal[1] = 1
    mode: str
    preset: str = ""
    model_set: str = ""
    params: dict[str, Any]
    graph: dict[str, Any]
    models: dict[str, ModelUsed]
    inputs: Annotated[dict[str, str], Field(description="The SHA-256 of each given file, by parameter.")]
    versions: dict[str, str]

    def request(self) -> dict[str, Any]:
        """Return the request, as `JobSpec.as_dict` returns it."""
        return self.model_dump(mode="json", include={"mode", "preset", "model_set", "params"})


def current(spec: Spec, graph: Mapping[str, Any], settings: Settings) -> Recipe:
    """Return the recipe of a take that `graph` makes now from `spec`."""
    store, registry = Store(settings), get_registry(settings)
    models = {}
    for file in registry.needs(graph):
        found = store.find(file)
        if found is not None:
            models[file.key] = ModelUsed(size=found.path.stat().st_size, sha256=_sha256(file, found.path))
    versions = {"ltx-studio": __version__, "comfyui": comfyui.find(settings).version, "torch": version("torch")}
    stored = replace(spec, fresh=False).as_dict()
    inputs = {name: path.stem for name, path in spec.files().items()}
    return Recipe(**stored, graph=dict(graph), models=models, inputs=inputs, versions=versions)


def bare(spec: Spec, graph: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a take without the parts that need looking up: models, hashes of inputs, versions."""
    stored = replace(spec, fresh=False).as_dict()
    inputs = {name: path.stem for name, path in spec.files().items()}
    return Recipe.model_construct(
        **stored, recipe=1, graph=dict(graph), models={}, inputs=inputs, versions={"ltx-studio": __version__}
    )


def _sha256(file: ModelFile, path: Path) -> str:
    """Return a model file's sha256 if it is known or quick to compute; otherwise an empty string."""
    known, state = known_sha256(file, path), path.stat()
    return known or (_read(path, state.st_mtime_ns) if state.st_size <= SOON_HASHED else "")


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> str:  # noqa: ARG001  (part of the cache key: a changed file is hashed again)
    return sha256(path)


def read(path: Path) -> Recipe:
    """Return the recipe that a video file carries.

    Raises:
        RequestError: The file does not exist, carries no recipe, or carries one that this studio cannot read.
    """
    return sandbox.read(_read_recipe, locate(path))


def _read_recipe(path: Path) -> Recipe:
    text = tags(path).get(TAG)
    if text is None:
        raise RequestError(f"{path.name} has no recipe.", _OWN_VIDEO)
    try:
        found = Recipe.model_validate_json(text)
        check_graph(found.graph)
    except (ValidationError, WorkflowError) as error:
        raise RequestError(
            f"The recipe in {path.name} cannot be read.",
            "It may come from a newer version: update the studio.",
            details=str(error),
        ) from None
    return found


def tags(path: Path) -> Mapping[str, str]:
    """Return the tags of a video file.

    Raises:
        RequestError: The file cannot be read.
    """
    import av

    path = locate(path)
    try:
        return tags_of(path)
    except av.error.ArgumentError:  # FFmpeg knows no format, or the studio does not allow it
        raise RequestError(f"{path.name} is not a video, so it has no recipe.", _OWN_VIDEO) from None
    except (av.error.FFmpegError, OSError) as error:
        raise RequestError(f"{path.name} cannot be read: {why_unread(error)}.", _OWN_VIDEO) from None


def write(
    source: Path,
    destination: Path,
    recipe: Recipe,
    embedded: EditorMetadata | None,
    provenance: Provenance | None = None,
) -> None:
    """Copy a video file, its streams untouched, with its recipe, its provenance and the graph for ComfyUI's editor.

    Args:
        source: An mp4.
        destination: Another path.
        recipe: The take's recipe.
        embedded: The graph for ComfyUI's editor.
        provenance: What made it.
    """
    import av

    carried = {TAG: recipe.model_dump_json()}
    if embedded is not None:
        carried |= {"prompt": json.dumps(embedded.prompt), "workflow": json.dumps(embedded.workflow)}
    if provenance is not None:
        carried |= provenance.mp4_tags
    with (
        av.open(source) as given,
        av.open(destination, "w", format="mp4", options={"movflags": "use_metadata_tags+faststart"}) as made,
    ):
        made.metadata.update(carried)  # and no tags that the run passed on from the user's clip, such as a place
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    if provenance is not None:
        append_to_mp4(destination, provenance.packet)
