"""Workflows in editor format, drawn at random: subgraphs in each other, used again, muted and bypassed, primitives,
reroutes, old lists of promoted widgets, ids that collide. The same number draws the same file every time.

The editor's own answers to them are in tests/golden/generated.json.xz.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

Json = dict[str, Any]

MUTED, BYPASSED = 2, 4
SCALES = ("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
LATENT_SCALES = ("nearest-exact", "bilinear", "area", "bicubic", "bislerp")
WORDS = ("a red ball", "rain", "", "two\nlines", "Ünïcödé ☃", "x" * 40, "12", "a {b")


@dataclass(frozen=True)
class Widget:
    """A field of a node class: how its values are drawn, and what the editor stores after it."""

    name: str
    kind: str
    low: float = 0
    high: float = 1
    step: float = 1
    choices: tuple[str, ...] = ()
    steering: tuple[str, ...] = ()

    def value(self, random: Random) -> Any:
        if self.kind == "INT":
            return int(self.low) + int(self.step) * random.randint(0, int((self.high - self.low) // self.step))
        if self.kind == "FLOAT":
            return round(random.uniform(self.low, self.high), 2)
        if self.kind == "BOOLEAN":
            return random.random() < 0.5
        return random.choice(self.choices or WORDS)


@dataclass(frozen=True)
class Kind:
    """A node class."""

    sockets: tuple[tuple[str, str], ...] = ()
    widgets: tuple[Widget, ...] = ()
    out: str = ""


def _size(step: int = 1, low: int = 16) -> tuple[Widget, ...]:
    return tuple(Widget(name, "INT", low, 2000, step) for name in ("width", "height"))


_CROP = Widget("crop", "COMBO", choices=("disabled", "center"))
_BATCH = Widget("batch_size", "INT", 1, 8)
_FACTOR = Widget("blend_factor", "FLOAT", 0, 1)
_IMAGE = (("image", "IMAGE"),)
KINDS: dict[str, Kind] = {
    "EmptyImage": Kind((), (*_size(), _BATCH, Widget("color", "INT", 0, 16777215)), "IMAGE"),
    "ImageInvert": Kind(_IMAGE, (), "IMAGE"),
    "ImageBlend": Kind(
        (("image1", "IMAGE"), ("image2", "IMAGE")),
        (_FACTOR, Widget("blend_mode", "COMBO", choices=("normal", "screen", "difference"))),
        "IMAGE",
    ),
    "ImageScale": Kind(_IMAGE, (Widget("upscale_method", "COMBO", choices=SCALES), *_size(), _CROP), "IMAGE"),
    "ImageScaleBy": Kind(
        _IMAGE, (Widget("upscale_method", "COMBO", choices=SCALES), Widget("scale_by", "FLOAT", 0.01, 8)), "IMAGE"
    ),
    "RepeatImageBatch": Kind(_IMAGE, (Widget("amount", "INT", 1, 60),), "IMAGE"),
    "ImageBlur": Kind(_IMAGE, (Widget("blur_radius", "INT", 1, 31), Widget("sigma", "FLOAT", 0.1, 9)), "IMAGE"),
    "ImageToMask": Kind(_IMAGE, (Widget("channel", "COMBO", choices=("red", "green", "alpha")),), "MASK"),
    "MaskToImage": Kind((("mask", "MASK"),), (), "IMAGE"),
    "InvertMask": Kind((("mask", "MASK"),), (), "MASK"),
    "SolidMask": Kind((), (Widget("value", "FLOAT", 0, 1), *_size()), "MASK"),
    "EmptyLatentImage": Kind((), (*_size(8), _BATCH), "LATENT"),
    "LatentUpscale": Kind(
        (("samples", "LATENT"),), (Widget("upscale_method", "COMBO", choices=LATENT_SCALES), *_size(8), _CROP), "LATENT"
    ),
    "LatentBlend": Kind((("samples1", "LATENT"), ("samples2", "LATENT")), (_FACTOR,), "LATENT"),
    "PrimitiveInt": Kind((), (Widget("value", "INT", -50, 3000, steering=("fixed",)),), "INT"),
    "PrimitiveFloat": Kind((), (Widget("value", "FLOAT", -5, 30),), "FLOAT"),
    "PrimitiveString": Kind((), (Widget("value", "STRING"),), "STRING"),
    "StringConcatenate": Kind(
        (), (Widget("string_a", "STRING"), Widget("string_b", "STRING"), Widget("delimiter", "STRING")), "STRING"
    ),
    "RandomNoise": Kind((), (Widget("noise_seed", "INT", 0, 2**40, steering=("fixed",)),), "NOISE"),
}
ENDS = ("SaveImage", "PreviewImage")
KINDS["SaveImage"] = Kind((("images", "IMAGE"),), (Widget("filename_prefix", "STRING", choices=("mine", "a/b")),))
KINDS["PreviewImage"] = Kind((("images", "IMAGE"),))
MIDDLES = tuple(name for name in KINDS if name not in ENDS)


@dataclass
class Port:
    """An input or output on the outside of a subgraph; `widget` when it stands for one."""

    name: str
    kind: str
    links: list[int]
    widget: Widget | None = None


@dataclass
class Sheet:
    """One graph while it is drawn."""

    first: int
    is_inner: bool = False
    nodes: list[Json] = field(default_factory=list)
    links: list[list[Any]] = field(default_factory=list)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    open: list[tuple[int, int, str]] = field(default_factory=list)
    """Outputs that later nodes may take: node, slot, kind."""

    def add(self, node: Json) -> Json:
        node = {"id": self.first + len(self.nodes), "mode": 0, "flags": {}, "order": len(self.nodes), **node}
        node |= {"pos": [40 * len(self.nodes), 0], "size": [200, 80]}
        node.setdefault("properties", {})
        self.nodes.append(node)
        return node

    def link(self, origin: tuple[int, int, str], target: int, item: Json, slot: int) -> None:
        number = len(self.links) + 1
        self.links.append([number, origin[0], origin[1], target, slot, item["type"]])
        item["link"] = number
        if origin[0] == -10:
            self.inputs[origin[1]].links.append(number)
        else:
            node = next(each for each in self.nodes if each["id"] == origin[0])
            node["outputs"][origin[1]]["links"].append(number)


class Artist:
    """Draws one file."""

    def __init__(self, number: int) -> None:
        self.random = Random(f"workflow {number}")
        self.number = number
        self.subgraphs: list[tuple[Json, Sheet]] = []
        self.brief = self.chance(0.5)
        """Whether inputs of widgets that nothing feeds are left out, as in what a run embeds."""

        self.ids = self.random.choice(("same", "same", "unique", "mixed"))
        self.next_id = 1

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def draw(self) -> Json:
        for _ in range(self.random.choice((0, 1, 1, 2, 3, 4))):
            self.subgraph()
        sheet = self.sheet()
        self.fill(sheet, self.random.randint(2, 8))
        for _ in range(self.random.randint(1, 3)):
            self.node(sheet, self.random.choice(ENDS))
        self.finish(sheet)
        definitions = [subgraph for subgraph, _ in self.subgraphs]
        if self.chance(0.3):
            self.random.shuffle(definitions)
        top = max(node["id"] for node in sheet.nodes)
        last = self.random.choice((top, top, top, 0, top + 20, 300))
        return {
            "id": f"00000000-0000-4000-9000-{self.number:012}",
            "revision": 0,
            "last_node_id": last,
            "last_link_id": len(sheet.links),
            "nodes": sheet.nodes,
            "links": sheet.links,
            "groups": [],
            "definitions": {"subgraphs": definitions},
            "config": {},
            "extra": {},
            "version": 0.4,
        }

    def sheet(self) -> Sheet:
        if self.ids == "same":
            return Sheet(self.random.choice((1, 1, 5)))
        if self.ids == "mixed" and self.chance(0.5):
            return Sheet(self.random.randint(1, 30))
        self.next_id += 40
        return Sheet(self.next_id)

    def subgraph(self) -> None:
        sheet = self.sheet()
        sheet.is_inner = True
        for place in range(self.random.randint(0, 2)):
            kind = self.random.choice(("IMAGE", "IMAGE", "LATENT", "MASK"))
            sheet.inputs.append(Port(f"{kind.lower()}_{place}", kind, []))
            sheet.open.append((-10, place, kind))
        self.fill(sheet, self.random.randint(1, 5))
        inside = [each for each in sheet.open if each[0] != -10]
        for origin in self.random.sample(inside, min(len(inside), self.random.randint(1, 2))):
            port = Port(f"{origin[2]}_{len(sheet.outputs)}", origin[2], [])
            sheet.outputs.append(port)
            item: Json = {"type": origin[2]}
            sheet.link(origin, -20, item, len(sheet.outputs) - 1)
            port.links.append(item["link"])
        self.finish(sheet)
        self.subgraphs.append((self.definition(sheet), sheet))

    def definition(self, sheet: Sheet) -> Json:
        number = len(self.subgraphs)
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        state = {"lastGroupId": 0, "lastNodeId": sheet.first + len(sheet.nodes), "lastLinkId": 99, "lastRerouteId": 0}
        box = {"bounding": [0, 0, 10, 10]}
        sides = {"inputNode": {"id": -10, **box}, "outputNode": {"id": -20, **box}}

        def ports(each: list[Port], side: str) -> list[Json]:
            return [
                {"id": f"{number:08}-0000-4000-{side}-{place:012}", "name": port.name, "type": port.kind}
                | {"linkIds": port.links}
                for place, port in enumerate(each)
            ]

        return {
            "id": f"{self.number:08}-1111-4000-8000-{number:012}",
            "version": 1,
            "state": state,
            "revision": 0,
            "config": {},
            "name": f"Part {number}",
            **sides,
            "inputs": ports(sheet.inputs, "8000"),
            "outputs": ports(sheet.outputs, "9000"),
            "widgets": [],
            "nodes": sheet.nodes,
            "groups": [],
            "links": [dict(zip(keys, link, strict=True)) for link in sheet.links],
            "extra": {},
        }

    def fill(self, sheet: Sheet, count: int) -> None:
        for _ in range(count):
            if self.subgraphs and self.chance(0.35):
                self.use(sheet)
            else:
                self.node(sheet, self.random.choice(MIDDLES))

    def finish(self, sheet: Sheet) -> None:
        """Switch some nodes off, and put in what leaves no trace."""
        for node in sheet.nodes:
            if self.chance(0.12):
                node["mode"] = self.random.choice((MUTED, BYPASSED))
        if self.chance(0.2):
            sheet.add({"type": self.random.choice(("Note", "MarkdownNote")), "widgets_values": ["hello"]})
        if self.chance(0.15):
            socket = {"name": "image", "type": "IMAGE", "link": None}
            sheet.add({"type": "SomePackNode", "mode": MUTED, "inputs": [socket], "outputs": []})
        for node in sheet.nodes:
            if self.brief:
                node["inputs"] = [each for each in node.get("inputs", []) if self.is_kept(each)]
        for link in sheet.links:
            node = next((each for each in sheet.nodes if each["id"] == link[3]), {})
            for slot, item in enumerate(node.get("inputs", [])):
                if item["link"] == link[0]:
                    link[4] = slot

    def is_kept(self, item: Json) -> bool:
        return item["link"] is not None or "widget" not in item

    def node(self, sheet: Sheet, name: str) -> None:
        kind = KINDS[name]
        inputs: list[Json] = [{"name": each, "type": of, "link": None} for each, of in kind.sockets]
        values: list[Any] = []
        for widget in kind.widgets:
            inputs.append({"name": widget.name, "type": widget.kind, "widget": {"name": widget.name}, "link": None})
            values += [widget.value(self.random), *widget.steering]
        outputs = [{"name": kind.out, "type": kind.out, "links": []}] if kind.out else []
        made = {"type": name, "inputs": inputs, "outputs": outputs, "widgets_values": values}
        node = sheet.add(made | ({"title": f"My {name}"} if self.chance(0.2) else {}))
        self.feed(sheet, node, kind.widgets, 0.9)
        if kind.out:
            sheet.open.append((node["id"], 0, kind.out))

    def feed(self, sheet: Sheet, node: Json, widgets: tuple[Widget | None, ...], often: float) -> None:
        """Link inputs of a node: sockets often, widgets now and then."""
        by_name = {each.name: each for each in widgets if each is not None}
        for slot, item in enumerate(node["inputs"]):
            widget = by_name.get(item["widget"]["name"]) if "widget" in item else None
            if widget is None:
                fitting = [each for each in sheet.open if each[2] == item["type"] and each[0] != node["id"]]
                if fitting and self.chance(often):
                    self.wire(sheet, self.random.choice(fitting), node, slot)
            elif self.chance(0.25):
                self.feed_widget(sheet, node, slot, widget)

    def feed_widget(self, sheet: Sheet, node: Json, slot: int, widget: Widget) -> None:
        item = node["inputs"][slot]
        fitting = [each for each in sheet.open if each[2] == widget.kind and each[0] not in (node["id"], -10)]
        if sheet.is_inner and self.chance(0.4):
            self.promote(sheet, node, slot, widget)
        elif fitting and self.chance(0.5):
            self.wire(sheet, self.random.choice(fitting), node, slot)
        elif widget.kind != "COMBO":
            primitives = [
                each
                for each in sheet.nodes
                if each["type"] == "PrimitiveNode" and each["outputs"][0]["type"] == item["type"]
            ]
            if not primitives or self.chance(0.6):
                output = {"name": item["type"], "type": item["type"], "widget": {"name": widget.name}, "links": []}
                value = [widget.value(self.random), "fixed"]
                primitives = [
                    sheet.add({"type": "PrimitiveNode", "inputs": [], "outputs": [output], "widgets_values": value})
                ]
            sheet.link((self.random.choice(primitives)["id"], 0, item["type"]), node["id"], item, slot)

    def promote(self, sheet: Sheet, node: Json, slot: int, widget: Widget) -> None:
        """Feed a widget from the outside of the subgraph, by an input of its own or by one that is there."""
        item = node["inputs"][slot]
        there = [
            (place, port) for place, port in enumerate(sheet.inputs) if port.widget and port.widget.kind == widget.kind
        ]
        if there and self.chance(0.4):
            place, _ = self.random.choice(there)
        else:
            place = len(sheet.inputs)
            sheet.inputs.append(Port(f"{widget.name}_{place}", item["type"], [], widget))
        sheet.link((-10, place, item["type"]), node["id"], item, slot)

    def wire(self, sheet: Sheet, origin: tuple[int, int, str], node: Json, slot: int) -> None:
        """Link two nodes, at times through reroutes."""
        while self.chance(0.15):
            item: Json = {"name": "", "type": "*", "link": None}
            reroute = sheet.add(
                {"type": "Reroute", "inputs": [item], "outputs": [{"name": "", "type": origin[2], "links": []}]}
            )
            sheet.link(origin, reroute["id"], item, 0)
            origin = (reroute["id"], 0, origin[2])
        sheet.link(origin, node["id"], node["inputs"][slot], slot)

    def use(self, sheet: Sheet) -> None:
        """Put in a node that stands for a subgraph."""
        definition, inner = self.random.choice(self.subgraphs)
        inputs: list[Json] = []
        for port in inner.inputs:
            item: Json = {"name": port.name, "type": port.kind, "link": None}
            inputs.append(item | ({"widget": {"name": port.name}} if port.widget else {}))
        outputs = [{"name": port.name, "type": port.kind, "links": []} for port in inner.outputs]
        values = [port.widget.value(self.random) for port in inner.inputs if port.widget and port.links]
        node = sheet.add({"type": definition["id"], "inputs": inputs, "outputs": outputs})
        style = self.random.random()
        if style < 0.5:
            node["widgets_values"] = values
        elif style < 0.7:
            node["widgets_values"] = values[: self.random.randint(0, len(values))]
        elif style < 0.9:
            self.list_widgets(node, inner)
        self.feed(
            sheet,
            node,
            tuple(
                Widget(
                    port.name,
                    port.widget.kind,
                    port.widget.low,
                    port.widget.high,
                    port.widget.step,
                    port.widget.choices,
                )
                if port.widget
                else None
                for port in inner.inputs
            ),
            0.8,
        )
        for place, port in enumerate(inner.outputs):
            sheet.open.append((node["id"], place, port.kind))

    def list_widgets(self, node: Json, inner: Sheet) -> None:
        """Show widgets of inner nodes as older editors did."""
        entries: list[list[str]] = []
        values: list[Any] = []
        for each in inner.nodes:
            for widget in KINDS.get(each["type"], Kind()).widgets:
                if self.chance(0.3):
                    entries.append([str(each["id"]), widget.name])
                    values.append(widget.value(self.random))
        node["properties"] = {"proxyWidgets": entries}
        node["widgets_values"] = values if self.chance(0.6) else []


def workflow(number: int) -> Json:
    """Return the file of that number."""
    return Artist(number).draw()
