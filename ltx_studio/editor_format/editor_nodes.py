"""Nodes that only the editor has: no server knows them, they never run, and the editor queues what they stand for.

Names of classes come from the packs that register them in the browser and have no Python class for them: ComfyUI
itself, KJNodes, Easy-Use, rgthree, mxToolkit, mtb, Timesaver.
"""

from ltx_studio.editor_format.ids import Json
from ltx_studio.editor_format.scopes import Contents

PRIMITIVE = "PrimitiveNode"
_NOTES = {
    "Note",
    "MarkdownNote",
    "Label (rgthree)",
    "Bookmark (rgthree)",
    "Power Conductor (rgthree)",
    "Note Plus (mtb)",
    "easy bookmark",
    "TS_Bookmark",
}
_PASSING_ON = {"Reroute", "Reroute (rgthree)", "Node Collector (rgthree)", "Node Combiner (rgthree)", "mxReroute"}
_SWITCHING_OTHERS = {
    "Fast Muter (rgthree)",
    "Fast Bypasser (rgthree)",
    "Fast Groups Muter (rgthree)",
    "Fast Groups Bypasser (rgthree)",
    "Mute / Bypass Relay (rgthree)",
    "Mute / Bypass Repeater (rgthree)",
    "Fast Actions Button (rgthree)",
    "Random Unmuter (rgthree)",
}
"""They mute and bypass other nodes when one clicks them or queues; the file has the modes that came of it."""

_SETTER_OF = {"GetNode": "SetNode", "easy getNode": "easy setNode"}
"""Lines without a wire: a getter gives what the setter of its name is fed."""

VIRTUAL = _NOTES | _PASSING_ON | _SWITCHING_OTHERS | {PRIMITIVE, *_SETTER_OF, *_SETTER_OF.values()}
"""Nodes that exist in the editor only. What they are fed comes out at the same slot, if they have it."""


def is_getter(node: Json) -> bool:
    """Tell whether a node gives what a setter elsewhere is fed."""
    return node["type"] in _SETTER_OF


class Setters:
    """Finds setters by name; each graph is looked through once."""

    def __init__(self) -> None:
        self._known: dict[Contents, dict[tuple[str, str], list[Json]]] = {}

    def of(self, contents: Contents, getter: Json) -> list[Json]:
        """Return the nodes of a graph that set what `getter` gets, in the file's order."""
        if contents not in self._known:
            self._known[contents] = {}
            for node in contents.nodes.values():
                if node["type"] in _SETTER_OF.values():
                    self._known[contents].setdefault((node["type"], _name_of(node)), []).append(node)
        name = _name_of(getter)
        return self._known[contents].get((_SETTER_OF[getter["type"]], name), []) if name else []


def _name_of(node: Json) -> str:
    values = node.get("widgets_values")
    name = values[0] if isinstance(values, list) and values else None
    return name if isinstance(name, str) else ""
