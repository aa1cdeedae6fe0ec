"""Read the side data of a decoded frame.

PyAV's `frame.side_data` reads all of it: it frees metadata twice (an ICC profile has some), which crashes the process,
and fails on unknown kinds (EXIF). So FFmpeg removes all but one kind before PyAV reads it.
"""

from fractions import Fraction
from typing import Any

_KINDS = 64
"""FFmpeg numbers its kinds of side data from 0; it has half as many."""

_CLOCK = Fraction(1, 1000)


def side_data(frame: Any, name: str) -> bytes | None:
    """Return one kind of side data of a video or audio frame; None if it is missing.

    Args:
        frame: As decoded by PyAV.
        name: Name of a member of `av.sidedata.sidedata.Type` without metadata.
    """
    from av.filter import Graph
    from av.sidedata.sidedata import Type

    graph = Graph()
    kind: Any = Type[name]
    source, remover, sink = _ends(graph, frame)
    last = source
    for number in range(_KINDS):
        if number != kind.value:
            step = graph.add(remover, f"mode=delete:type={number}")
            last.link_to(step)
            last = step
    last.link_to(sink)
    graph.configure()
    source.push(frame)
    found = sink.pull().side_data.get(kind)
    return None if found is None else bytes(found)


def _ends(graph: Any, frame: Any) -> tuple[Any, str, Any]:
    """Return a source of such frames, the name of the filter that removes their side data, and a sink."""
    clock = frame.time_base or _CLOCK
    if hasattr(frame, "samples"):
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=clock
        )
        return source, "asidedata", graph.add("abuffersink")
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=clock)
    return source, "sidedata", graph.add("buffersink")
