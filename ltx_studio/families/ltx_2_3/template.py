"""Graph templates of LTX-2.3: one file for each mode, cut from `templates/master.json`."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from ltx_studio.graph import Graph, read_graph

_MASTER = "master.json"
"""The workflow from which the templates are cut."""


def load_template(mode_id: str) -> Graph:
    """Return a new graph of a mode's template, such as ``"t2v"``.

    Raises:
        WorkflowError: There is no template for that mode.
    """
    return read_graph(_folder() / f"{mode_id}.json")


def template_ids() -> frozenset[str]:
    """Return the ids of the modes that have a template."""
    names = (file.name for file in _folder().iterdir())
    return frozenset(name.removesuffix(".json") for name in names if name.endswith(".json") and name != _MASTER)


def _folder() -> Traversable:
    return files("ltx_studio.families.ltx_2_3") / "templates"
