"""ComfyUI graphs in API format as data: load, address by title, set, swap the loaders."""

from ltx_studio.graph.api import Fragment, Graph, Node, check_graph, load_template
from ltx_studio.graph.workflow import Stage, Workflow

__all__ = ["Fragment", "Graph", "Node", "Stage", "Workflow", "check_graph", "load_template"]
