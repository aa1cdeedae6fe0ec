"""Graph templates of LTX-2.3: one file for each mode, cut from `templates/master.json`."""

from importlib.resources import files

from ltx_studio.graph import Graph, read_graph


def load_template(mode_id: str) -> Graph:
    """Return a new graph of a mode's template, such as ``"t2v"``.

    Raises:
        WorkflowError: There is no template for that mode.
    """
    return read_graph(files("ltx_studio.families.ltx_2_3") / "templates" / f"{mode_id}.json")
