"""`ltx-studio modes`: the parameters of each mode and its presets, for people and for scripts."""

from collections.abc import Iterator
from typing import Any

from ltx_studio.cli.options import flag, told
from ltx_studio.families import ModelSet, Preset
from ltx_studio.modes import Mode

_INDENT = 24


def as_dict(mode: Mode, model_set: ModelSet) -> dict[str, Any]:
    """Return a mode for scripts: ``label``, ``params`` (JSON schema), ``presets``."""
    return {
        "label": mode.label,
        "params": mode.params.model_json_schema(),
        "presets": [_preset(preset, mode, model_set) for preset in model_set.family.presets.values()],
    }


def as_lines(mode: Mode, model_set: ModelSet) -> Iterator[str]:
    """Yield the lines that describe a mode to people."""
    yield f"{mode.id}: {mode.label}"
    for name, field in mode.params.model_fields.items():
        yield f"  {flag(name):<{_INDENT}} {told(name, field)}"
    for preset in model_set.family.presets.values():
        shown = _preset(preset, mode, model_set)
        passes = " + ".join(str(count) for count in shown["passes"])
        said = shown["unavailable"] or f"{shown['description']} {passes} model passes."
        yield f"  {'--preset ' + preset.id:<{_INDENT}} {said}"


def _preset(preset: Preset, mode: Mode, model_set: ModelSet) -> dict[str, Any]:
    return {
        "id": preset.id,
        "label": preset.label,
        "description": preset.description(model_set, stages=mode.samplings),
        "passes": preset.passes(model_set, stages=mode.samplings),
        "unavailable": preset.refusal(model_set),
    }
