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
    """An architecture. Its templates address nodes by the titles that the modes write to.

    Attributes:
        id: The id by which a model set refers to it.
        label: The name that users see.
        geometry: Legal sizes and lengths.
        modes: The ids of the modes with a template.
        presets: Presets by id, the default one first.
        template: Returns a new graph of a mode's template.
        loaders: Returns the loader nodes for a set's files, with the outputs of `ModelSet.loaders`.
        template_loaders: The loader nodes in the templates.
        decode_bytes: Returns the bytes that decoding takes on the device, for width, height and frames.
        file_names: A regular expression that is found in the names of its model files; empty accepts any name.
    """

    id: str
    label: str
    geometry: Geometry
    modes: frozenset[str]
    presets: Mapping[str, Preset]
    template: Callable[[str], Graph]
    loaders: Callable[[SetFiles], Fragment]
    template_loaders: Fragment
    file_names: str = ""
    decode_bytes: Callable[[int, int, int], int] = lambda _width, _height, _frames: 0

    @property
    def usual_preset(self) -> Preset:
        """Return the preset for requests that name none."""
        return next(iter(self.presets.values()))

    def get_preset(self, preset_id: str) -> Preset:
        """Return a preset.

        Raises:
            RequestError: There is no such preset.
        """
        try:
            return self.presets[preset_id]
        except (KeyError, TypeError):  # clients may send any JSON
            raise RequestError(
                f"There is no preset {quoted(preset_id)}.", f"Choose one of: {', '.join(self.presets)}."
            ) from None
