"""Settings that have no effect on a request because their strength is 0."""

from collections.abc import Iterator, Mapping

from ltx_studio.modes.fields import Controlling, Params, Voiced

_STRENGTHS: Mapping[str, tuple[str, str]] = {
    "image_strength": ("image", "the picture"),
    "first_strength": ("first_image", "the first frame"),
    "last_strength": ("last_image", "the last frame"),
}
"""The file that each strength applies to, and that file in words, by the strength's name."""


def idle_notes(params: Params) -> Iterator[str]:
    """Yield a sentence for each setting without effect. Those idle for lack of a file are among the form's limits."""
    fields, idle = type(params).model_fields, []
    for name, (file, what) in _STRENGTHS.items():
        if getattr(params, file, None) is not None and getattr(params, name, None) == 0:
            idle.append(name)
            yield f"{fields[name].title} is 0, so {what} has no effect."
    pinned = [name for name, (file, _) in _STRENGTHS.items() if getattr(params, file, None) is not None]
    if idle and idle == pinned and params.image_compression != fields["image_compression"].default:  # type: ignore[attr-defined]
        yield f"{fields['image_compression'].title} has no effect either."
    if params.guidance == 1 and (params.sound_guidance == 1 or isinstance(params, Voiced)):
        yield "The guidance is 1, so the negative prompt has no effect."
    if isinstance(params, Controlling) and params.control_source() is not None and not params.control_strength:
        yield f"{fields['control_strength'].title} is 0, so the control clip does not guide the motion."
    for number, lora in enumerate(params.loras, 1):
        if not lora.strength:
            yield f"LoRA {number} ({lora.file.name}) has strength 0, so it has no effect."
