"""Modes: their declaration, checking of requests, and building of graphs."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.families import Family, Geometry, ModelSet, Preset
from ltx_studio.graph import Graph, Phase, Workflow, read_graph
from ltx_studio.media import (
    Clip,
    ClipFile,
    LoraFile,
    Picture,
    PrepareInput,
    Sound,
    check_lora,
    probe_clip,
    probe_picture,
    probe_sound,
)
from ltx_studio.modes import control
from ltx_studio.modes.examples import Example
from ltx_studio.modes.fields import NEGATIVE_PROMPT, TUNING, Controlled, Controlling, Feeds, Media, Params
from ltx_studio.modes.idle_settings import idle_notes
from ltx_studio.modes.inputs import check_control
from ltx_studio.modes.limits import Limit, limits
from ltx_studio.modes.phases import PROMPT, STAGE_1, STAGE_2, UPSCALE
from ltx_studio.modes.sizes import fitting
from ltx_studio.modes.steering import fitted, steering_notes
from ltx_studio.modes.validation_errors import request_error

_PROBES: Mapping[Media, Callable[[Path], Picture | Sound | Clip]] = {
    Media.PICTURE: probe_picture,
    Media.SOUND: probe_sound,
    Media.CLIP: probe_clip,
}

NOTICED_SECONDS = 0.1

_SUFFIX: Mapping[Media, str] = {Media.PICTURE: ".png", Media.SOUND: ".wav", Media.CLIP: ".mp4"}


def _feeds_are_enough(graph: Graph, params: Any, prepare: PrepareInput) -> None:
    """Write nothing more: every parameter goes directly to inputs."""


def _nothing_known(values: Mapping[str, Any], legal: Geometry) -> Mapping[str, Any]:  # noqa: ARG001
    return {}


def _all_is_well(params: Any) -> Iterator[str]:  # noqa: ARG001
    return iter(())


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to generate clips with LTX-2.3.

    Attributes:
        id: A stable identifier; also the name of the graph template.
        label: The name that users see.
        params: The declaration of the mode's parameters.
        phases: The parts of a run after the models are loaded, for the progress display.
        patch: Writes values that do not map from one parameter to one input; prepares the user's files.
        defaults: Derives missing values from the files, such as the length of a sound.
        check: Refuses what the files do not allow, and yields a sentence for each change made to them.
        files: Titles of the nodes that read and prepare the user's files.
        sound_is_given: Whether the user provides the sound.
        placeholder: The placeholder of an empty prompt.
        examples: Example requests, those for the pocket preview first.
        templates: Custom graph templates, by the id of the model family; the family's own by default.
        keep_first_sound: Whether guided presets keep the sound of stage 1, as ltx-pipelines does in most modes.
    """

    id: str
    label: str
    params: type[Params]
    phases: tuple[Phase, ...]
    patch: Callable[[Graph, Any, PrepareInput], None] = _feeds_are_enough
    defaults: Callable[[Mapping[str, Any], Geometry], Mapping[str, Any]] = _nothing_known
    check: Callable[[Any], Iterator[str]] = _all_is_well
    files: tuple[str, ...] = ()
    sound_is_given: bool = False
    keep_first_sound: bool = True
    placeholder: str = ""
    examples: tuple[Example, ...] = ()
    templates: Mapping[str, Path] = dataclasses.field(default_factory=dict)

    @property
    def samplings(self) -> int:
        """Return the number of sampling stages: 2, at half and at full size, or 1, at full size."""
        return 2 if any(phase.id == "stage2" for phase in self.phases) else 1

    @property
    def tuning(self) -> tuple[str, ...]:
        """Return the parameters that change the preset; nothing guides a sound that the user provides."""
        return tuple(name for name in TUNING if not (name == "sound_guidance" and self.sound_is_given))

    @property
    def media(self) -> Mapping[str, Media]:
        """Return the parameters that are files, by name."""
        return {
            name: kind
            for name, field in self.params.model_fields.items()
            for kind in field.metadata
            if isinstance(kind, Media)
        }

    def parse(self, values: Mapping[str, Any], model_set: ModelSet, preset: Preset | None = None) -> Params:
        """Check a request; missing values come from the declaration, its files and the model set.

        Raises:
            RequestError: A value is missing, unknown, out of range or unavailable, or a file cannot be used.
        """
        preset = preset or model_set.family.usual_preset
        given = {name: value for name, value in values.items() if value is not None}
        if not self._has_template(model_set.family):
            raise RequestError(f"{model_set.family.label} does not support {self.label}.", "Choose another model set.")
        refusal = preset.refusal(model_set)
        if refusal:
            raise RequestError(refusal, "Choose the preset Fast or Draft, or another model set.")
        self._look_at_files(given)
        self._need_files(given)
        legal = model_set.family.geometry
        defaults = {**self._size(given, model_set), **self.defaults(given, legal)}
        try:
            params = self.params.model_validate(defaults | given, context=legal)
        except ValidationError as error:
            raise request_error(self.label, self.id, self.params, error) from None
        refused = [limit for limit in self.limits(params.model_dump(), preset, model_set) if limit.refuses]
        for limit in refused:
            if getattr(params, limit.field) == limit.choice:
                title, gone = (
                    self.params.model_fields[limit.field].title,
                    {(item.field, item.choice) for item in refused},
                )
                left = [choice for choice in self._choices(limit.field) if (limit.field, choice) not in gone]
                hint = f"Choose one of: {', '.join(left)}." if left else "Choose another model set."
                raise RequestError(f"{title}: {limit.choice} {limit.reason}.", hint)
        for lora in params.loras:
            check_lora(lora.file, model_set.token_width)
        for _ in self._remarks(params):
            pass
        step = self.size_step(params, preset)
        params = params.model_copy(
            update={name: legal.snap(getattr(params, name), step) for name in ("width", "height")}
        )
        return fitted(params, self.size_in_graph(params, preset))

    def example(self, model_set: ModelSet, *, everything: bool = False) -> Params:
        """Return sample parameters whose files need not exist, for inspecting the mode's graph.

        With `everything`, optional files are included.
        """
        fields = self.params.model_fields
        named = (name for name in self.media if everything or fields[name].is_required())
        files = {name: Path(f"{name}{_SUFFIX[self.media[name]]}") for name in named}
        size = {"width": model_set.width, "height": model_set.height}
        values = {"prompt": "a red ball bounces", "seconds": 2.0, **size, **files}
        return self.params.model_validate(values, context=model_set.family.geometry)

    def is_possible(self, model_set: ModelSet, preset: Preset, *, everything: bool = False) -> bool:
        """Return whether the set has what the mode requires or, with `everything`, all that a request may need."""
        if not self._has_template(model_set.family):
            return False
        params = self.example(model_set, everything=everything)
        limits = self.limits(params.model_dump(), preset, model_set)
        refused = (limit for limit in limits if limit.refuses and getattr(params, limit.field) == limit.choice)
        return not preset.refusal(model_set) and next(refused, None) is None

    def limits(self, values: Mapping[str, Any], preset: Preset, model_set: ModelSet) -> Iterator[Limit]:
        """Yield what to disable, with the reason, when the form holds `values`."""
        yield from limits(self.params.model_fields, values, preset, model_set)
        if self.sound_is_given:
            yield Limit("sound_guidance", "has no effect when you supply the sound")

    def size_step(self, params: Params, preset: Preset) -> int:
        """Return the pixels that width and height are rounded to."""
        halved = preset.draft or self.samplings == 2
        is_controlled = halved and _control_clip(params) is not None
        return params.geometry.control_size_step if is_controlled else params.geometry.size_step

    def size(self, params: Params, preset: Preset) -> tuple[int, int]:
        """Return width and height of the finished clip in pixels."""
        return (params.width // 2, params.height // 2) if preset.draft else (params.width, params.height)

    def size_in_graph(self, params: Params, preset: Preset) -> tuple[int, int]:
        """Return the width and height in pixels at which the graph starts and to which a control clip is cropped."""
        return self.size(params, preset) if self.samplings == 1 else (params.width, params.height)

    def shape(self, given: Mapping[str, Any]) -> tuple[int, int] | None:
        """Return width and height in pixels of the first picture or clip given, required ones first; or None.

        Raises:
            RequestError: It cannot be used.
        """
        fields = self.params.model_fields
        for name, kind in sorted(self.media.items(), key=lambda item: not fields[item[0]].is_required()):
            if kind is not Media.SOUND and isinstance(given.get(name), str | Path):
                seen = probe_picture(Path(given[name])) if kind is Media.PICTURE else probe_clip(Path(given[name]))
                return seen.width, seen.height
        return None

    def work(self, params: Params, preset: Preset, model_set: ModelSet) -> Mapping[str, float]:
        """Return the amount of work in each phase, by its id, for comparing runs: 1 where it is always the same.

        Elsewhere pixels times frames, in millions; for sampling, times the passes through the model.
        """
        pixels = params.width * params.height * params.frames / 1e6
        first, *second = preset.passes(model_set, stages=self.samplings)
        halved = preset.draft or self.samplings == 2
        finished = pixels / 4 if preset.draft else pixels
        left_out = (UPSCALE.id, STAGE_2.id) if preset.draft else ()
        found = {phase.id: finished for phase in self.phases if phase.id not in left_out}
        found |= {"load": 1.0, PROMPT.id: 1.0}
        found[STAGE_1.id] = first * (pixels / 4 if halved else pixels)
        if second:
            found[STAGE_2.id] = second[0] * pixels
        return found

    def notes(self, params: Params, preset: Preset, model_set: ModelSet) -> list[str]:
        """Return notes before the run: what has no effect, what is done to the files, what is experimental."""
        fields = self.params.model_fields
        notes = list(self._remarks(params))
        notes += idle_notes(params)
        notes += steering_notes(params, self.size_in_graph(params, preset), model_set)
        if abs(params.duration - params.seconds) > NOTICED_SECONDS and not self._is_length_of_files(params):
            notes.append(
                f"The clip is {params.duration:.2f} s long instead of {params.seconds:g} s: "
                f"the frame count is a multiple of {params.geometry.frame_step}, plus 1."
            )
        for limit in self.limits(params.model_dump(), preset, model_set):
            value, title = getattr(params, limit.field), fields[limit.field].title
            if limit.is_caution and value == limit.choice:
                notes.append(f"{title}: {limit.choice} {limit.reason}.")
            elif not limit.choice and value != fields[limit.field].default:
                notes.append(f"{title} {limit.reason}.")
        return notes

    def summary(self, params: Params, preset: Preset, model_set: ModelSet) -> str:
        """Return a summary of the clip: size, length and frame rate after snapping, preset and passes."""
        passes = " + ".join(str(count) for count in preset.passes(model_set, stages=self.samplings))
        return f"{self.measures(params, preset)}, seed {params.seed}; {preset.label}: {passes} model passes"

    def measures(self, params: Params, preset: Preset) -> str:
        """Return size, length and frame rate of the finished clip in words."""
        width, height = self.size(params, preset)
        half = f" (half of {params.width}×{params.height})" if preset.draft else ""
        length = f"{params.duration:.2f} s = {params.frames} frames at {params.fps:g} fps"
        return f"{width}×{height}{half}, {length}"

    def build(self, params: Params, model_set: ModelSet, preset: Preset, prepare: PrepareInput) -> Workflow:
        """Return the finished graph for `params` with the loaders of `model_set`; `prepare` prepares the user's files.

        Raises:
            RequestError: A file is gone or damaged.
        """
        family = model_set.family
        own = self.templates.get(family.id)
        graph = family.template(self.id) if own is None else read_graph(own)
        clip = _control_clip(params)
        if clip is not None and control.GUIDE not in graph:
            control.add_branch(graph, family.template("style"), ("Stage 1 latent", "video_latent"))
        graph.attach(model_set.loaders, instead_of=family.template_loaders)
        self._feed(graph, params)
        width, height = self.size_in_graph(params, preset)
        graph["Width"].value, graph["Height"].value, graph["Frames"].value = width, height, params.frames
        if isinstance(params, Controlling) and clip is not None:
            control.steer(graph, _wanted(params, clip, (width, height)), params, model_set, prepare)
        self.patch(graph, params, prepare)
        if getattr(params, "sound", "") == "off":
            graph.disconnect("Video", "audio")
        preset.apply(
            graph,
            model_set,
            sound_is_given=self.sound_is_given,
            keep_first_sound=self.keep_first_sound,
            refuses=params.negative_prompt.strip() not in ("", NEGATIVE_PROMPT),
        )
        _add_loras(graph, params, model_set, prepare)
        graph.prune(f"Save {self.id}")
        phases = _present(self.all_phases(model_set), graph)
        return Workflow(self.id, graph.to_api(), phases, params.latent_frames, model_set.preview)

    def all_phases(self, model_set: ModelSet) -> tuple[Phase, ...]:
        """Return the loading phase, with the nodes of the model set and the files, then the mode's own phases.

        A phase begins with the first of its nodes, so nodes that may run before the loaders belong to loading.
        """
        label = "Load models and files" if self.files else "Load models"
        return Phase("load", label, (*model_set.loaders.nodes, *self.files)), *self.phases

    def _has_template(self, family: Family) -> bool:
        return self.id in family.modes or family.id in self.templates

    def _remarks(self, params: Params) -> Iterator[str]:
        for name, kind in self.media.items():
            path = getattr(params, name)
            for remark in _PROBES[kind](path).remarks if path is not None else ():
                yield f"{self.params.model_fields[name].title}: {remark}"
        yield from self.check(params)
        yield from check_control(params)

    def _is_length_of_files(self, params: Params) -> bool:
        """Return whether the length comes from the files, as it does when none was given."""
        return bool(self.defaults(params.model_dump(), params.geometry).get("seconds") == params.seconds)

    def _choices(self, name: str) -> tuple[str, ...]:
        return get_args(self.params.model_fields[name].annotation)

    def _look_at_files(self, given: Mapping[str, Any]) -> None:
        for name, kind in self.media.items():
            if isinstance(given.get(name), str | Path):
                _PROBES[kind](Path(given[name]))

    def _need_files(self, given: Mapping[str, Any]) -> None:
        for name in self.media:
            field = self.params.model_fields[name]
            if field.is_required() and name not in given:
                advice = Advice.to(Do.GIVE_FILE, field=name, mode=self.id)
                raise RequestError(f"{field.title} is missing.", "Choose a file.", advice=advice)

    def _size(self, given: Mapping[str, Any], model_set: ModelSet) -> Mapping[str, int]:
        """Return the model set's size, or one with as many pixels in the shape of the given picture or clip."""
        shape = self.shape(given)
        if shape is None:
            return {"width": model_set.width, "height": model_set.height}
        return fitting(*shape, given, model_set.width * model_set.height, model_set.family.geometry)

    def _feed(self, graph: Graph, params: Params) -> None:
        for name, field in self.params.model_fields.items():
            for extra in field.metadata:
                if isinstance(extra, Feeds):
                    for title, socket in extra.sockets:
                        graph.set_input(title, socket, getattr(params, name))


def _add_loras(graph: Graph, params: Params, model_set: ModelSet, prepare: PrepareInput) -> None:
    """Insert the LoRAs after the base model, so that they act in every phase."""
    chosen: list[tuple[str, str, float]] = []
    if params.camera != "none":
        chosen.append(("Camera LoRA", model_set.camera[params.camera].file, params.camera_strength))
    for number, lora in enumerate(params.loras, 1):
        chosen.append((f"LoRA {number}", prepare(LoraFile(lora.file)), lora.strength))
    source = model_set.loaders.outputs["base_model"]
    for title, file, strength in chosen:
        inputs = {"lora_name": file, "strength_model": strength}
        graph.insert_after(source, title, {"class_type": "LoraLoaderModelOnly", "inputs": inputs}, through="model")
        source = (title, 0)


def _wanted(params: Params, clip: tuple[Path, float], size: tuple[int, int]) -> ClipFile:
    """Return the request for a control clip. An optional one may end before the clip that it steers."""
    path, start = clip
    with_sound = getattr(params, "sound", "") == "source"
    hold = not isinstance(params, Controlled)
    return ClipFile(path, start, params.frames, params.fps, *size, hold=hold, with_sound=with_sound)


def _control_clip(params: Params) -> tuple[Path, float] | None:
    return params.control_source() if isinstance(params, Controlling) else None


def _present(phases: tuple[Phase, ...], graph: Graph) -> tuple[Phase, ...]:
    """Return the phases that `graph` has, each with the nodes it has."""
    shown = (replace(phase, nodes=tuple(title for title in phase.nodes if title in graph)) for phase in phases)
    return tuple(phase for phase in shown if phase.nodes)
