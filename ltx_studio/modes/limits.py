"""Settings without effect or unavailable with a preset, a model set and other values, each with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ltx_studio.families import ModelSet, Preset
from ltx_studio.models import CONTROL_MODELS
from ltx_studio.modes.fields import TUNING

_CONTROL_FIELDS = ("control", "ic_lora", "ic_lora_strength", "control_strength", "edge_threshold")


@dataclass(frozen=True, slots=True)
class Limit:
    """A field or choice to disable, or to warn about.

    Attributes:
        field: The parameter's name.
        reason: Why, as the end of a sentence that begins with the field's title or the choice.
        choice: The value in question; empty for the whole field.
        is_caution: Whether it is available nevertheless.
    """

    field: str
    reason: str
    choice: str = ""
    is_caution: bool = False

    @property
    def refuses(self) -> bool:
        """Return whether `choice` is unavailable."""
        return bool(self.choice) and not self.is_caution


def limits(
    fields: Mapping[str, Any], values: Mapping[str, Any], preset: Preset, model_set: ModelSet
) -> Iterator[Limit]:
    """Yield every limit of the form `fields` (by name) when it holds `values`."""
    if not preset.guided:
        yield Limit("negative_prompt", f"has no effect in {preset.label}, which has no guidance")
    for name in [each for each in TUNING if each not in preset.tunable()]:
        yield Limit(name, f"is ignored in {preset.label}: its steps are fixed, and it has no guidance")
    yield from _of_loras("camera", model_set.camera, fields, model_set)
    if values.get("camera", "none") == "none":
        yield Limit("camera_strength", "has no effect without a camera move")
    if "image" in fields and values.get("image") is None:
        for name in ("image_strength", "image_compression"):
            yield Limit(name, "has no effect without a picture")
    if "control_clip" in fields and values.get("control_clip") is None:
        for name in _CONTROL_FIELDS:
            yield Limit(name, "has no effect without a control clip")
    elif "control" in fields:
        if values.get("control") != "canny":
            yield Limit("edge_threshold", "only has an effect with the control canny")
        elif values.get("control_strength") == 0:
            yield Limit("edge_threshold", "has no effect at control strength 0")
        yield from _of_control(fields, values, model_set)


def _of_control(fields: Mapping[str, Any], values: Mapping[str, Any], model_set: ModelSet) -> Iterator[Limit]:
    yield from _of_loras("ic_lora", model_set.control, fields, model_set)
    for control in CONTROL_MODELS:
        if control not in model_set.control_models:
            yield Limit("control", f"needs a model that {model_set.label} does not have", choice=control)
    match values.get("ic_lora"):
        case "detailer":
            for control in ("canny", "depth", "pose"):
                yield Limit(
                    "control", "does not work with the detailer, which uses the clip as it is (ready)", choice=control
                )
        case "pose":
            for control in ("canny", "depth"):
                yield Limit(
                    "control", "does not work with the pose IC-LoRA, which needs pose (or ready)", choice=control
                )


def _of_loras(name: str, have: Mapping[str, Any], fields: Mapping[str, Any], model_set: ModelSet) -> Iterator[Limit]:
    for choice in fields[name].annotation.__args__:
        if choice in have:
            if have[choice].caution:
                yield Limit(name, f"is {have[choice].caution}", choice=choice, is_caution=True)
        elif choice != "none":
            yield Limit(name, f"has no LoRA in {model_set.label}", choice=choice)
