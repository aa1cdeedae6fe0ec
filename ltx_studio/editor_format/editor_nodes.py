"""Nodes that exist only in the editor: they never run, and the editor queues what they stand for.

The class names come from packs that register them in the browser without a Python class: ComfyUI
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
"""Nodes that mute and bypass others on a click or when queueing; the file has the resulting modes."""

_SETTER_OF = {"GetNode": "SetNode", "easy getNode": "easy setNode"}
"""Links without wires: a getter returns the input of the setter of the same name."""

VIRTUAL = _NOTES | _PASSING_ON | _SWITCHING_OTHERS | {PRIMITIVE, *_SETTER_OF, *_SETTER_OF.values()}
"""Nodes that exist in the editor only. Each input passes through to the output at the same slot, if there is one."""


def is_getter(node: Json) -> bool:
    """Return whether a node returns the input of a setter elsewhere."""
    return node["type"] in _SETTER_OF


class Setters:
    """An index of setters by name; each graph is scanned once."""

    def __init__(self) -> None:
        self._known: dict[Contents, dict[tuple[str, str], list[Json]]] = {}

    def of(self, contents: Contents, getter: Json) -> list[Json]:
        """Return the nodes of a graph that set the value of `getter`, in file order."""
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
