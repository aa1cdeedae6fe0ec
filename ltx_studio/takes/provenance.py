"""Provenance: each take's file says that a model made it, as the licence of the model requires."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

from ltx_studio import __version__
from ltx_studio.graph.model_inputs import model_inputs
from ltx_studio.media import xmp
from ltx_studio.media.open import open_media
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.specs import Spec

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""The IPTC's term for media made by a trained model."""
SOURCE_TAG = "digital_source_type"
PRODUCT = "LTX 2.3 Studio"

_FAMILY = "LTX-2.3"
_MAIN_FOLDERS = ("checkpoints", "diffusion_models")
_STREAMED = {
    ".mp4": "mp4",
    ".webm": "webm",
    ".mkv": "matroska",
    ".flac": "flac",
    ".mp3": "mp3",
    ".opus": "ogg",
    ".ogg": "ogg",
}
"""Suffix → PyAV's name of the format, for files that are copied stream by stream to carry tags."""

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
<Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{comment}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>{tool}</xmp:CreatorTool>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made a take.

    Attributes:
        model: The name of the model.
    """

    model: str

    @property
    def comment(self) -> str:
        """The sentence that players and ``ffprobe`` show."""
        return f"AI-generated with {self.model} in {PRODUCT}."

    @property
    def tags(self) -> dict[str, str]:
        """The tags of a video or sound file."""
        return {"comment": self.comment, SOURCE_TAG: SOURCE_TYPE}

    @property
    def mp4_tags(self) -> dict[str, str]:
        """The tags of an MP4, whose tag names are free; Apple's players look for one with their prefix."""
        return {**self.tags, "com.apple.quicktime.comment": self.comment}

    @property
    def packet(self) -> bytes:
        """The XMP packet of a file."""
        said = {"source": SOURCE_TYPE, "model": self.model, "comment": self.comment}
        tool = f"{PRODUCT} {__version__}"
        return _PACKET.format(tool=tool, **{name: escape(text) for name, text in said.items()}).encode()


def of_take(spec: Spec, graph: Mapping[str, Mapping[str, Any]]) -> Provenance | None:
    """Return the provenance of a take; None for a workflow without any model."""
    if isinstance(spec, JobSpec):
        label = spec.model_set.label
        return Provenance(label if _FAMILY in label else f"{_FAMILY} ({label})")
    named = sorted(model_inputs(graph), key=lambda each: not set(each.folders) & set(_MAIN_FOLDERS))
    if not named:
        return None
    return Provenance(PurePosixPath(named[0].file.replace("\\", "/")).stem)


def can_carry(path: Path) -> bool:
    """Return whether this kind of file can carry its provenance.

    Raises:
        OSError: The file cannot be read.
    """
    if path.suffix.lower() in _STREAMED:
        return True
    with path.open("rb") as file:
        return xmp.takes_packet(file.read(xmp.HEAD))


def copy(source: Path, destination: Path, provenance: Provenance) -> None:
    """Copy a picture, sound or video together with its provenance; its pixels and samples stay the same.

    Raises:
        OSError: The file cannot be read or written.
        ValueError: The file is damaged, or its kind cannot carry provenance.
    """
    suffix = source.suffix.lower()
    if suffix in _STREAMED:
        _copy_streams(source, destination, _STREAMED[suffix], provenance)
        if suffix == ".mp4":
            xmp.append_to_mp4(destination, provenance.packet)
        return
    data = xmp.in_picture(source.read_bytes(), provenance.packet)
    if data is None:
        raise ValueError(f"{source.name} does not support XMP")
    destination.write_bytes(data)


def _copy_streams(source: Path, destination: Path, form: str, provenance: Provenance) -> None:
    import av

    options = {"movflags": "use_metadata_tags+faststart"} if form == "mp4" else {}
    with open_media(source) as given, av.open(destination, "w", format=form, options=options) as made:
        tags, ours = dict(given.metadata), provenance.mp4_tags if form == "mp4" else provenance.tags
        made.metadata.update({**tags, **_free(tags, ours)})
        streams = {}
        for stream in given.streams:
            streams[stream.index] = copied = made.add_stream_from_template(stream)
            copied.metadata.update(stream.metadata)
            if form == "ogg":  # Ogg knows only the tags of streams
                copied.metadata.update(_free(stream.metadata, ours))
        for packet in given.demux():
            if packet.size:  # the last one is empty
                packet.stream = streams[packet.stream.index]
                made.mux(packet)


def _free(tags: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Return the tags to add: a comment that the workflow wrote stays, and ours becomes the disclosure."""
    taken = {name.lower() for name in tags}
    return {("disclosure" if name == "comment" and name in taken else name): text for name, text in ours.items()}
