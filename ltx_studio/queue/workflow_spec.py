"""A request to run the user's workflow: its graph with the form's values, checked before anything runs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from ltx_studio import sandbox
from ltx_studio.advice import Advice, Do, Note, texts_of
from ltx_studio.errors import RequestError
from ltx_studio.families import ModelSet
from ltx_studio.graph import Workflow
from ltx_studio.graph.compatibility import fit_to
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.form import (
    FILES,
    Field,
    FieldIndex,
    Kind,
    files_of,
    fill,
    form_of,
    others_of,
    place_of,
    with_examples,
)
from ltx_studio.graph.graph import check_graph
from ltx_studio.graph.phases import phases_of
from ltx_studio.graph.prompts import prompts_of
from ltx_studio.graph.safety import check_known, check_safety
from ltx_studio.graph.validate import validate
from ltx_studio.graph.values import quoted, shown
from ltx_studio.media import Clip, Picture, PrepareInput, Sound, WholeFile, probe_clip, probe_picture, probe_sound
from ltx_studio.media.animations import is_webp
from ltx_studio.media.open import locate
from ltx_studio.models import ModelFile, Registry
from ltx_studio.models.mapping import map_models
from ltx_studio.models.store import fetch_advice
from ltx_studio.modes import Media
from ltx_studio.workflow_files.read import read_workflow

LONGEST_NAME = 200
"""The most characters of a workflow's name that are kept."""


@dataclass(frozen=True, slots=True)
class WorkflowSpec:
    """A workflow and the files that it reads.

    Attributes:
        name: The workflow's name.
        graph: The graph in API format, with the form's values.
        given: The files by the key of their field.
        changed: The changes that make it fit the installed ComfyUI; not stored.
        fresh: See `JobSpec`.
    """

    mode: ClassVar[str] = "workflow"
    preset: ClassVar[str] = ""
    model_set: ClassVar[None] = None
    pocket: ClassVar[Do] = Do.USE_POCKET_FILES
    """How to do without the model files that it names."""

    name: str
    graph: Mapping[str, Mapping[str, Any]]
    given: Mapping[str, Path] = field(default_factory=dict)
    changed: tuple[Note, ...] = field(default=(), compare=False)
    fresh: bool = False

    @classmethod
    def from_request(
        cls,
        name: str,
        graph: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, Any],
        definitions: Definitions,
        *,
        trusted: bool,
        model_set: ModelSet | None = None,
    ) -> Self:
        """Check a workflow and the values of its form; files are paths.

        Args:
            name: The workflow's name.
            graph: The graph in API format.
            values: The form's values by key or title.
            definitions: The node definitions of the installed ComfyUI.
            trusted: See `check_safety`.
            model_set: The model set whose files replace those that the workflow names; None keeps them.

        Raises:
            RequestError: It may not run here (see `check_safety`), ComfyUI would refuse it, a value is wrong, or a file
                that it reads is missing.
        """
        check_graph(graph)
        check_known(graph, definitions)  # safety is checked once, on the graph as it will run
        fields = form_of(graph, definitions) if values else []
        others = others_of(graph, definitions)
        known = FieldIndex(fields, others)
        given = {name: known.find(name) for name in values}
        files = {each.key: Path(str(values[name])) for name, each in given.items() if each.kind in FILES}
        plain = {name: values[name] for name, each in given.items() if each.kind not in FILES}
        filled, mapped = fill(graph, fields, plain, others), list[str]()
        if model_set is not None:
            filled, mapped = map_models(filled, model_set, definitions)
        filled, notes = fit_to(filled, definitions)
        notes += map(Note, dict.fromkeys(mapped))
        spec = cls(shown(name, LONGEST_NAME), filled, files, tuple(notes))
        spec.check(definitions, trusted=trusted)
        for each in fields:
            if each.key in files:
                notes += map(Note, _look_at(each, files[each.key]))
                node_id, given_name = place_of(filled, each.key)
                filled[node_id]["inputs"][given_name] = ""  # the name of the user's file is private
        return replace(spec, changed=tuple(notes))

    def check(self, definitions: Definitions, *, trusted: bool) -> None:
        """Refuse a workflow that may not run here; whether its files exist is not checked.

        Raises:
            RequestError: See `from_request`.
        """
        check_graph(self.graph)
        check_known(self.graph, definitions)
        read = files_of(self.graph, definitions)
        named = with_examples(self.graph, read)  # each is given, or refused below
        check_safety(named, definitions, trusted=trusted)
        for key, each in read.items():
            if key not in self.given:
                raise RequestError(
                    f"{each.title}: the workflow needs a {each.kind} ({quoted(each.value)}).",
                    "Choose the file.",
                    advice=Advice.to(Do.GIVE_WORKFLOW_FILE, key=key),
                    where=key,
                )
        for key in self.given:
            if key not in read:
                raise RequestError(f"The workflow has no file {quoted(key)}.", "Remove it.", where=key)
        validate(named, definitions, has_right_shape=True)

    @classmethod
    def from_file(
        cls,
        path: Path,
        values: Mapping[str, Any],
        definitions: Definitions,
        *,
        trusted: bool,
        model_set: ModelSet | None = None,
    ) -> Self:
        """Check a workflow file, or a picture, sound or video that carries a workflow; see `from_request`."""
        graph = sandbox.read(read_workflow, path, definitions)
        return cls.from_request(path.stem, graph, values, definitions, trusted=trusted, model_set=model_set)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], folder: Path, registry: Registry) -> Self:  # noqa: ARG003
        """Return the spec that `as_dict` stored, with its files in `folder` and nowhere else; safety is checked later.

        Raises:
            WorkflowError: Its graph is not valid.
            TypeError: Its name is not a string.
        """
        params = stored["params"]
        check_graph(params["graph"])
        if not isinstance(params["name"], str):
            raise TypeError("the name of the workflow is not text")
        files = {key: folder / Path(name).name for key, name in params["files"].items()}
        return cls(params["name"], params["graph"], files, fresh=stored.get("fresh", False))

    def as_dict(self) -> dict[str, Any]:
        """Return the request for JSON; files are named without their folder."""
        return {
            "mode": self.mode,
            "preset": self.preset,
            "model_set": "",
            "params": {
                "name": self.name,
                "prompt": self.prompt,
                "seed": self.seed,
                "graph": dict(self.graph),
                "files": {key: path.name for key, path in self.given.items()},
            },
            **({"fresh": True} if self.fresh else {}),
        }

    @property
    def prompt(self) -> str:
        """The text that the history finds it by."""
        return "\n".join([*prompts_of(self.graph), self.name])

    @property
    def seed(self) -> int | None:
        """The seed of the first node that has one."""
        seeds = (node["inputs"].get(name) for node in self.graph.values() for name in ("noise_seed", "seed"))
        return next((seed for seed in seeds if isinstance(seed, int)), None)

    def files(self) -> dict[str, Path]:
        """Return the files that it reads, by the key of their field."""
        return dict(self.given)

    def with_files(self, change: Callable[[Path, Media], Path]) -> Self:
        """Return the same request with other paths to its files."""
        return replace(self, given={key: change(path, Media.CLIP) for key, path in self.given.items()})

    def with_seed(self, seed: int) -> Self:
        """Return the same request with this seed in every node that has one."""
        seeds = ("noise_seed", "seed")
        graph = {
            node_id: {
                **node,
                "inputs": {
                    name: seed if name in seeds and isinstance(value, int) else value
                    for name, value in node["inputs"].items()
                },
            }
            for node_id, node in self.graph.items()
        }
        return replace(self, graph=graph)

    def build(self, prepare: PrepareInput, model_set: ModelSet | None = None) -> Workflow:  # noqa: ARG002  (it has its own)
        """Return the graph with its files made ready."""
        graph = {node_id: {**node, "inputs": dict(node["inputs"])} for node_id, node in self.graph.items()}
        for key, path in self.given.items():
            node_id, name = place_of(graph, key)
            graph[node_id]["inputs"][name] = prepare(WholeFile(path))
        return Workflow(self.name, graph, tuple(phases_of(graph)))

    def fetch_advice(self, missing: list[ModelFile], registry: Registry) -> Advice:  # noqa: ARG002
        """Return how to get the model files that it lacks."""
        return fetch_advice(missing)

    def summary(self) -> str:
        """Describe in words what will be made."""
        return f"Workflow {self.name}: {len(self.graph)} nodes"

    def notes(self) -> list[str]:
        """Return what the user should know before the run; `changed` has the same notes with advice."""
        return texts_of(self.changed)


_PROBES: Mapping[Kind, Callable[[Path], Picture | Sound | Clip]] = {
    Kind.PICTURE: probe_picture,
    Kind.SOUND: probe_sound,
    Kind.CLIP: probe_clip,
}


def _look_at(field: Field, path: Path) -> Iterator[str]:
    """Refuse a file of the wrong kind for the field: a playlist, for example, would lead to other files.

    Yields:
        What the workflow's node ignores in the file, one sentence each.
    """
    path = locate(path)
    try:
        found = _PROBES[field.kind](path)
    except RequestError as error:
        raise RequestError(
            f"{field.title}: {error.message}", error.hint, advice=error.advice, where=field.key
        ) from None
    if field.kind is Kind.CLIP and is_webp(path):
        said = f"{field.title}: {path.name} is a WebP, which the workflow's node cannot read as a clip."
        raise RequestError(said, "Convert it to MP4.", where=field.key)
    if not isinstance(found, Sound) and found.ignored:
        ignored = " and ".join(found.ignored)
        yield f"{field.title}: the workflow's node ignores {ignored}. Convert the {field.kind} first."
