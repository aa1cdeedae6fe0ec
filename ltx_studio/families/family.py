"""A model family: an architecture with its graph templates, presets, geometry and loaders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ltx_studio.errors import RequestError
from ltx_studio.families.geometry import Geometry
from ltx_studio.families.model_set import SetFiles
from ltx_studio.families.preset import Preset
from ltx_studio.graph import Fragment, Graph
from ltx_studio.text.formatting import quoted


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture. Its templates address nodes by the titles that the modes write to.

    Attributes:
        id: What a model set names it by.
        label: What a user reads.
        geometry: Legal sizes and lengths.
        modes: The ids of the modes that it has templates for.
        presets: By their id, the usual one first.
        template: Returns a new graph of a mode's template.
        loaders: Returns the loader nodes of a set's files; the outputs are those of `ModelSet.loaders`.
        template_loaders: The loader nodes that the templates carry.
    """

    id: str
    label: str
    geometry: Geometry
    modes: frozenset[str]
    presets: Mapping[str, Preset]
    template: Callable[[str], Graph]
    loaders: Callable[[SetFiles], Fragment]
    template_loaders: Fragment

    @property
    def usual_preset(self) -> Preset:
        """The preset of a request that names none."""
        return next(iter(self.presets.values()))

    def get_preset(self, preset_id: str) -> Preset:
        """Return a preset.

        Raises:
            RequestError: There is no such preset.
        """
        try:
            return self.presets[preset_id]
        except (KeyError, TypeError):  # a client may send any JSON
            raise RequestError(
                f"There is no preset {quoted(preset_id)}.", f"Choose one of: {', '.join(self.presets)}."
            ) from None
