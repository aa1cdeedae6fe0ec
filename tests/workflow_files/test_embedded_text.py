"""Workflows in everything that carries one, written as ComfyUI, its packs and other tools write them."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ltx_studio.errors import RequestError, WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.workflow_files.embedded_text import ENDINGS, picture_texts
from ltx_studio.workflow_files.read import read_workflow
from tests.media.reference import ffmpeg

CASES = Path(__file__).parent / "cases"
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 255}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "ein Hügel, 丘"}},
}
API = json.dumps(GRAPH)
MARKED = "\ufeff" + API
LATIN = json.dumps(GRAPH, ensure_ascii=False)
"""With letters that are not ASCII as they are."""

DRAWING = {
    "nodes": [
        {"id": 1, "type": "EmptyImage", "inputs": [], "widgets_values": [64, 64, 1, 255], "outputs": [{"links": [1]}]},
        {
            "id": 9,
            "type": "SaveImage",
            "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
            "widgets_values": ["ein Hügel, 丘"],
        },
    ],
    "links": [[1, 1, 0, 9, 0, "IMAGE"]],
}
EDITOR = json.dumps(DRAWING)


def inputs_of(path: Path, definitions: Definitions) -> dict[str, Any]:
    return {key: node["inputs"] for key, node in read_workflow(path, definitions).items()}


EXPECTED = {key: node["inputs"] for key, node in GRAPH.items()}


@pytest.mark.parametrize("name", ["vhs.mp4", "vhs.webm", "vhs-double.mp4"])
def test_reads_the_videos_of_videohelpersuite(name: str, definitions: Definitions) -> None:
    assert len(read_workflow(CASES / name, definitions)) == 2


def picture(path: Path, **how: Any) -> Path:
    Image.new("RGB", (16, 16), "red").save(path, **how)
    return path


def exif(**tags: str | bytes) -> Image.Exif:
    """Name tags in hexadecimal: ``x010f="…"``."""
    made = Image.Exif()
    for tag, text in tags.items():
        number = int(tag[1:], 16)
        if number == 0x9286:
            made.get_ifd(0x8769)[number] = text
        else:
            made[number] = text
    return made


def png_info(*texts: tuple[str, str], kind: str = "text", packed: bool = False) -> PngInfo:
    info = PngInfo()
    for name, text in texts:
        if kind == "itxt":
            info.add_itxt(name, text, zip=packed)
        else:
            info.add_text(name, text, zip=packed)
    return info


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with_text_at_its_end(path: Path) -> None:
    picture(path)
    whole = path.read_bytes()
    end = whole.index(b"IEND") - 4
    path.write_bytes(whole[:end] + chunk(b"tEXt", b"prompt\0" + LATIN.encode()) + whole[end:])


PICTURES: dict[str, Callable[[Path], object]] = {
    "core.png": lambda path: picture(path, pnginfo=png_info(("prompt", API), ("workflow", EDITOR))),
    "drawing only.PNG": lambda path: picture(path, pnginfo=png_info(("workflow", EDITOR)), format="PNG"),
    "packed.png": lambda path: picture(path, pnginfo=png_info(("prompt", API), packed=True)),
    "itxt.png": lambda path: picture(path, pnginfo=png_info(("prompt", LATIN), kind="itxt", packed=True)),
    "end.png": png_with_text_at_its_end,
    "twice.png": lambda path: picture(path, pnginfo=png_info(("prompt", json.dumps(API)))),
    "not a.json": lambda path: picture(path, pnginfo=png_info(("prompt", API)), format="PNG"),
    "marked.png": lambda path: picture(path, pnginfo=png_info(("prompt", MARKED))),
    "marked and packed.png": lambda path: picture(path, pnginfo=png_info(("workflow", "\ufeff" + EDITOR), packed=True)),
    "marked latin.png": lambda path: picture(path, pnginfo=png_info(("prompt", MARKED.encode().decode("latin-1")))),
    "marked other.png": lambda path: picture(path, pnginfo=png_info(("mine", MARKED), kind="itxt")),
    "marked.webp": lambda path: picture(path, exif=exif(x0110=b"prompt: " + MARKED.encode())),
    "exif.png": lambda path: picture(path, exif=exif(x010f="Workflow: " + EDITOR)),
    "core.webp": lambda path: picture(path, exif=exif(x0110="prompt:" + API, x010f="workflow:" + EDITOR)),
    "pack.webp": lambda path: picture(path, exif=exif(x010e="Workflow:" + EDITOR, x010f="Prompt:" + API)),
    "utf-8.webp": lambda path: picture(path, exif=exif(x0110=b"prompt:" + LATIN.encode())),
    "pack.jpg": lambda path: picture(path, exif=exif(x010e="Workflow: " + EDITOR)),
    "comment.JPG": lambda path: picture(path, format="JPEG", comment=API.encode()),
    "civitai.jpeg": lambda path: picture(
        path,
        exif=exif(x9286=b"UNICODE\0" + json.dumps({**GRAPH, "extra": {}, "extraMetadata": "{}"}).encode("utf-16-be")),
    ),
    "little-endian.jpeg": lambda path: picture(path, exif=exif(x9286=b"UNICODE\0" + API.encode("utf-16-le"))),
    "ascii.jpeg": lambda path: picture(path, exif=exif(x9286=b"ASCII\0\0\0" + API.encode())),
    "utf-8 as unicode.webp": lambda path: picture(path, exif=exif(x9286=b"UNICODE\0" + LATIN.encode())),
    "jis.jpeg": lambda path: picture(path, exif=exif(x9286=b"JIS\0\0\0\0\0" + API.encode())),
    "windows.jpg": lambda path: picture(path, exif=exif(x9c9c=LATIN.encode("utf-16-le") + b"\0\0")),
    "windows title.jpg": lambda path: picture(path, exif=exif(x9c9b=("Workflow: " + EDITOR).encode("utf-16-le"))),
    "labelled.png": lambda path: picture(path, pnginfo=png_info(("Description", "Prompt: " + API))),
    "labelled comment.jpg": lambda path: picture(path, comment=b"Workflow: " + EDITOR.encode()),
    "labelled user comment.jpg": lambda path: picture(
        path, exif=exif(x9286=b"UNICODE\0" + ("Prompt: " + LATIN).encode("utf-16-be"))
    ),
    "a.gif": lambda path: picture(path, comment=API.encode()),
    "a.avif": lambda path: picture(path, exif=exif(x0110="prompt:" + API)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_reads_pictures(name: str, tmp_path: Path, definitions: Definitions) -> None:
    PICTURES[name](tmp_path / name)

    assert inputs_of(tmp_path / name, definitions) == EXPECTED


def sound(path: Path, codec: str, rate: int, **tags: str) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        out.metadata.update(tags)
        fmt = stream.codec_context.codec.audio_formats[0].name
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), "float32"), format="fltp", layout="mono")
        frame.rate = rate
        resampler = av.AudioResampler(format=fmt, layout="mono", rate=rate, frame_size=stream.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode())


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.flac", "flac", 44100),
        ("a.MP3", "libmp3lame", 44100),
        ("a.opus", "libopus", 48000),
        ("a.ogg", "libopus", 48000),
    ],
)
@pytest.mark.parametrize("tags", [{"prompt": API, "workflow": EDITOR}, {"WORKFLOW": EDITOR}, {"comment": API}])
def test_reads_sounds(
    name: str, codec: str, rate: int, tags: dict[str, str], tmp_path: Path, definitions: Definitions
) -> None:
    sound(tmp_path / name, codec, rate, **tags)

    assert inputs_of(tmp_path / name, definitions) == EXPECTED


def clip(path: Path, format_name: str, **tags: str) -> None:
    keep = {"movflags": "use_metadata_tags"} if format_name in ("mp4", "mov") else {}
    with av.open(str(path), "w", format=format_name, options=keep) as out:
        stream = out.add_stream("libvpx" if format_name == "webm" else "libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        out.metadata.update(tags)
        out.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        out.mux(stream.encode())


@pytest.mark.parametrize("text", [API, EDITOR, LATIN])
def test_reads_what_is_attached_to_a_matroska_file(text: str, tmp_path: Path, definitions: Definitions) -> None:
    (tmp_path / "workflow.json").write_text(text)
    attached = ("-attach", tmp_path / "workflow.json", "-metadata:s:t", "mimetype=application/json")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32:d=0.2", *attached, "-c:v", "libx264", tmp_path / "a.mkv")

    assert inputs_of(tmp_path / "a.mkv", definitions) == EXPECTED


VHS = json.dumps({"prompt": API, "workflow": DRAWING, "CreationTime": "2026-05-01"})


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("a.mp4", "mp4"), ("A.MOV", "mov"), ("a.WebM", "webm"), ("a.mkv", "matroska"), ("no ending", "mp4")],
)
@pytest.mark.parametrize(
    "tags",
    [
        {"prompt": API, "workflow": EDITOR},
        {"PROMPT": API},
        {"Workflow": EDITOR},
        {"comment": VHS},
        {"comment": json.dumps(VHS)},
        {"prompt": "a red ball", "workflow": EDITOR},
        {"prompt": "{", "workflow": json.dumps(EDITOR)},
        {"description": API},
        {"prompt": MARKED},
        {"mine": MARKED},
        {"comment": "Prompt: " + API},
        {"title": "workflow:" + EDITOR},
    ],
)
def test_reads_videos(
    name: str, format_name: str, tags: dict[str, str], tmp_path: Path, definitions: Definitions
) -> None:
    clip(tmp_path / name, format_name, **tags)

    assert inputs_of(tmp_path / name, definitions) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(
    "text", [LATIN, json.dumps(DRAWING, ensure_ascii=False), json.dumps(LATIN), "\n " + LATIN, LATIN + "\n\0"]
)
def test_reads_text_in_every_encoding(encoding: str, text: str, tmp_path: Path, definitions: Definitions) -> None:
    (tmp_path / "a.json").write_bytes(text.encode(encoding))

    assert inputs_of(tmp_path / "a.json", definitions) == EXPECTED


def test_reads_text_with_a_mark_of_the_other_byte_order(tmp_path: Path, definitions: Definitions) -> None:
    (tmp_path / "a.json").write_bytes(b"\xfe\xff" + LATIN.encode("utf-16-be"))

    assert inputs_of(tmp_path / "a.json", definitions) == EXPECTED


ENVELOPES: dict[str, Any] = {
    "ComfyUI's server": {"client_id": "a", "prompt": GRAPH, "extra_data": {"extra_pnginfo": {"workflow": DRAWING}}},
    "prompt as text": {"prompt": API},
    "prompt as text with a byte order mark": {"prompt": MARKED},
    "text within text with byte order marks": "\ufeff" + json.dumps({"workflow": "\ufeff" + json.dumps(MARKED)}),
    "workflow": {"workflow": DRAWING},
    "workflow in API format": {"workflow": GRAPH},
    "the editor's graphToPrompt": {"workflow": DRAWING, "output": GRAPH},
    "output": {"output": GRAPH},
    "RunPod": {"input": {"workflow": GRAPH, "images": []}},
    "RunPod with a prompt in words": {"input": {"prompt": "a red ball", "workflow": GRAPH}},
    "Replicate": {"input": {"workflow_json": API, "randomise_seeds": True}},
    "extra_data alone": {"extra_data": {"extra_pnginfo": {"workflow": DRAWING}}},
    "history": {"0a1b": {"prompt": [3, "0a1b", GRAPH, {"client_id": "a"}, ["9"]], "outputs": {}, "status": {}}},
    "newer history": {"0a1b": {"prompt": {"prompt": GRAPH}, "outputs": {}}},
    "the queue": {"queue_running": [[0, "id", GRAPH, {}, []]], "queue_pending": []},
    "a take's recipe": {"version": 3, "mode": "workflow", "graph": GRAPH},
    "a list of one": [GRAPH],
    "no titles": {key: {**node, "_meta": None} for key, node in GRAPH.items()},
    "float slots": {**GRAPH, "9": {**GRAPH["9"], "inputs": {"images": ["1", 0.0], "filename_prefix": "ein Hügel, 丘"}}},
    "beside the nodes": {**GRAPH, "extra": {"ds": 1}, "version": 0.4},
}


@pytest.mark.parametrize("name", ENVELOPES)
@pytest.mark.parametrize("encode", [json.dumps, lambda data: json.dumps(json.dumps(data))], ids=["once", "twice"])
def test_reads_the_envelopes_of_other_tools(
    name: str, encode: Callable[[Any], str], tmp_path: Path, definitions: Definitions
) -> None:
    (tmp_path / "a.json").write_text(encode(ENVELOPES[name]))

    assert inputs_of(tmp_path / "a.json", definitions) == EXPECTED
    assert all(
        type(slot) is int for slot in (read_workflow(tmp_path / "a.json", definitions)["9"]["inputs"]["images"][1],)
    )


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "plain.png": (picture, "contains no workflow. It has no tags that may contain one."),
    "a1111.png": (
        lambda path: picture(path, pnginfo=png_info(("parameters", "a red ball\nSteps: 20"))),
        "another program",
    ),
    "titled.mp4": (lambda path: clip(path, "mp4", title="Holiday"), "Its tags 'title'"),
    "cut.png": (lambda path: picture(path, pnginfo=png_info(("prompt", API[:80]))), "tag 'prompt' is not JSON"),
    "cut.mp4": (lambda path: clip(path, "mp4", workflow=EDITOR[:80]), "tag 'workflow' is not JSON"),
    "half.jpg": (lambda path: path.write_bytes(b"\xff\xd8\xff\xe1\x01"), "cannot be read as a picture"),
    "text.mp3": (lambda path: path.write_bytes(b"hello"), "cannot be read as a sound"),
    "n8n.json": (
        lambda path: path.write_text(json.dumps({"nodes": [{"type": "n8n.http"}], "connections": {}})),
        "a workflow of n8n",
    ),
    "invoke.json": (
        lambda path: path.write_text(json.dumps({"nodes": [{"id": "a"}], "edges": [], "exposedFields": []})),
        "a workflow of InvokeAI",
    ),
    "other.json": (lambda path: path.write_text('{"prompt": "a red ball", "seed": 3}'), "Its keys: 'prompt', 'seed'"),
    "deep.json": (lambda path: path.write_text("[" * 100_000), "is not JSON: it is nested too deeply."),
    "empty.json": (Path.touch, "is empty"),
    "empty.png": (Path.touch, "cannot be read as a picture"),
    "latin-1.json": (lambda path: path.write_bytes(LATIN[:120].encode("latin-1") + b"\xfc"), "is not Unicode text"),
    "several.json": (lambda path: path.write_text(json.dumps([GRAPH, GRAPH])), "contains 2 workflows"),
    "history.json": (
        lambda path: path.write_text(json.dumps({str(run): {"prompt": [run, "a", GRAPH, {}, []]} for run in range(3)})),
        "contains 3 workflows",
    ),
    "queue.json": (
        lambda path: path.write_text(
            json.dumps({"queue_running": [[0, "a", GRAPH]], "queue_pending": [[1, "b", GRAPH]]})
        ),
        "contains 2 workflows",
    ),
    "list.json": (lambda path: path.write_text("[1, 2]"), "not a JSON object of nodes"),
    "words.jpg": (
        lambda path: picture(path, exif=exif(x9286=b"UNICODE\0" + "a red ball".encode("utf-16-be"))),
        "Its tags 'usercomment' do not contain one",
    ),
    "words.webp": (lambda path: picture(path, exif=exif(x9286=b"ASCII\0\0\0a red ball")), "Its tags 'usercomment'"),
    "camera.jpg": (lambda path: picture(path, exif=exif(x010f="Acme")), "Its tags 'make'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_says_truly_what_is_wrong(name: str, tmp_path: Path, definitions: Definitions) -> None:
    write, said = REFUSED[name]
    write(tmp_path / name)

    with pytest.raises(WorkflowError) as caught:
        read_workflow(tmp_path / name, definitions)

    assert said in caught.value.message
    assert caught.value.hint


def test_a_bomb_in_a_picture_is_not_unpacked(tmp_path: Path, definitions: Definitions) -> None:
    picture(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    bomb = chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"[" * 40_000_000, 9))
    (tmp_path / "a.png").write_bytes(whole[:33] + bomb + whole[33:])

    with pytest.raises(RequestError):
        read_workflow(tmp_path / "a.png", definitions)


def test_the_page_lets_one_choose_what_is_read() -> None:
    written = {Path(name).suffix.lower() for name in PICTURES} - {".json"}

    assert written | {".json", ".mp4", ".mov", ".webm", ".mkv", ".flac", ".mp3", ".opus", ".ogg"} <= set(ENDINGS)


@pytest.mark.parametrize("side", [13_000, 20_000])
def test_the_workflow_of_a_picture_that_is_too_large_is_read(side: int, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    text = b"prompt\0" + json.dumps(GRAPH).encode()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tEXt", text), (b"IDAT", b""), (b"IEND", b"")]
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    assert json.loads(picture_texts(path)["prompt"]) == GRAPH
