"""The links of an editor-format file, some of which other programs write in ways of their own."""

from collections.abc import Mapping
from typing import Any

from ltx_studio.editor_format.ids import Json, plain_number

_NUMBERS = ("id", "origin_id", "origin_slot", "target_id", "target_slot")


def with_plain_links(graph: Json) -> dict[str, Any]:
    """Return a workflow, a subgraph or the definition of a group node with its links as the editor takes them.

    Links that are null are left out, and ``1.0`` is taken for ``1``: hand-written and generated files have both.
    """
    links = graph.get("links")
    return {**graph, "links": [_plain(link) for link in links if link is not None]} if links else dict(graph)


def _plain(link: Any) -> Any:
    if isinstance(link, Mapping):
        return {**link, **{name: plain_number(link[name]) for name in _NUMBERS if name in link}}
    return [plain_number(each) for each in link] if isinstance(link, list) else link
