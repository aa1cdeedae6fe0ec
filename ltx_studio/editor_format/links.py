"""The links of an editor-format file, which some programs write in their own formats."""

from collections.abc import Mapping
from typing import Any

from ltx_studio.editor_format.ids import Json, plain_number

_NUMBERS = ("id", "origin_id", "origin_slot", "target_id", "target_slot")


def with_plain_links(graph: Json) -> dict[str, Any]:
    """Return a workflow, a subgraph or a group node's definition with its links in the editor's own format.

    Null links are dropped, and ``1.0`` is read as ``1``: hand-written and generated files have both.
    """
    links = graph.get("links")
    return {**graph, "links": [_plain(link) for link in links if link is not None]} if links else dict(graph)


def _plain(link: Any) -> Any:
    if isinstance(link, Mapping):
        return {**link, **{name: plain_number(link[name]) for name in _NUMBERS if name in link}}
    return [plain_number(each) for each in link] if isinstance(link, list) else link
