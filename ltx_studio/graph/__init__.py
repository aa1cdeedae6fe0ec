"""ComfyUI graphs in API format as data: load, address by title, set inputs, check, swap the loaders."""

from ltx_studio.graph.graph import Fragment, Graph, Node, check_graph, read_graph
from ltx_studio.graph.workflow import Phase, Workflow

__all__ = ["Fragment", "Graph", "Node", "Phase", "Workflow", "check_graph", "read_graph"]
