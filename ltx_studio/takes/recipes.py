"""Recipes: all that a take needs to be made again, written into its video file and read from it."""

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
"""Of the mp4's tags. ComfyUI's editor reads two others: `prompt` (API format) and `workflow` (editor format)."""
SOON_HASHED = 256 * 1024 * 1024
"""Bytes. Whose hash nobody knows, and which has more of them, is known by its size alone."""


class ModelUsed(BaseModel):
    """A model file: its size in bytes, and its sha256 where it is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    sha256: str = ""


class Recipe(BaseModel):
    """How a take was made. It names files by what is in them, never by where they lie, and nobody's name."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    recipe: Literal[1] = 1
    mode: str
    preset: str = ""
    model_set: str = ""
    params: dict[str, Any]
    graph: dict[str, Any]
    models: dict[str, ModelUsed]
    inputs: Annotated[dict[str, str], Field(description="Of each file that was given, by parameter, its sha256.")]
    versions: dict[str, str]

    def request(self) -> dict[str, Any]:
        """What was asked for, as `JobSpec.as_dict` gives it."""
        return self.model_dump(mode="json", include={"mode", "preset", "model_set", "params"})


def current(spec: Spec, graph: Mapping[str, Any], settings: Settings) -> Recipe:
    """The recipe of a take that is made now, of `spec` by `graph`."""
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
    """Of a model file, if it is known or soon told."""
    known, state = known_sha256(file, path), path.stat()
    return known or (_read(path, state.st_mtime_ns) if state.st_size <= SOON_HASHED else "")


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> str:  # noqa: ARG001  (it is told again when the file has changed)
    return sha256(path)


def read(path: Path) -> Recipe:
    """The recipe that a video file carries.

    Raises:
        RequestError: There is no such file, or it carries none, or one that this studio does not understand.
    """
    return sandbox.read(_read_recipe, locate(path))


def _read_recipe(path: Path) -> Recipe:
    text = tags(path).get(TAG)
    if text is None:
        raise RequestError(f"{path.name} carries no recipe.", "Only a video that the studio made carries one.")
    try:
        found = Recipe.model_validate_json(text)
        check_graph(found.graph)
    except (ValidationError, WorkflowError) as error:
        raise RequestError(
            f"The recipe in {path.name} cannot be read.", "It may be of a newer studio: update it.", details=str(error)
        ) from None
    return found


def tags(path: Path) -> Mapping[str, str]:
    """What is written in a video file beside picture and sound.

    Raises:
        RequestError: It cannot be read.
    """
    import av

    path = locate(path)
    try:
        return tags_of(path)
    except (av.error.FFmpegError, OSError) as error:
        raise RequestError(f"{path.name} cannot be read: {why_unread(error)}.", "Give a video file.") from None


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
        recipe: Of the take.
        embedded: For ComfyUI's editor.
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
        made.metadata.update(
            carried
        )  # and nothing of what the run passed on from a clip of the user's, such as a place
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    if provenance is not None:
        append_to_mp4(destination, provenance.packet)
