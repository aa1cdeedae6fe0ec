"""Advice about nodes that are not installed: true, and something that a user can do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import WorkflowError
from ltx_studio.graph.definitions import Definitions
from ltx_studio.graph.missing_nodes import instead, pack_of, unknown_nodes
from ltx_studio.graph.node_versions import is_partner, node_since
from ltx_studio.graph.safety import harmless
from ltx_studio.workflow_files.read import read_workflow
from tests.rows import check_rows
from tests.support import TEMPLATES

TABLES = Path(__file__).parents[2] / "ltx_studio" / "graph"


def editor_file(path: Path, *nodes: tuple[str, dict[str, Any]]) -> Path:
    listed = [{"id": number, "type": name, "properties": told} for number, (name, told) in enumerate(nodes, 1)]
    path.write_text(json.dumps({"nodes": listed, "links": []}))
    return path


def told(path: Path, definitions: Definitions) -> WorkflowError:
    with pytest.raises(WorkflowError) as caught:
        read_workflow(path, definitions)
    return caught.value


def test_what_is_advised_instead_is_there_and_runs_without_a_question(definitions: Definitions) -> None:
    def check(name: str) -> None:
        for class_type, title in instead()[name].items():
            assert title == definitions.title(class_type)
            assert class_type in harmless()
        assert name not in definitions

    check_rows(instead(), check)


def test_the_table_has_the_most_used() -> None:
    assert len(instead()) >= 30
    assert (TABLES / "node_packs.json").stat().st_size < 200_000


@pytest.mark.parametrize(
    ("name", "properties", "said"),
    [
        ("VHS_VideoCombine", {"cnr_id": "comfyui-videohelpersuite"}, "comfyui-videohelpersuite"),
        (
            "VHS_VideoCombine",
            {"aux_id": "Kosinkadink/ComfyUI-VideoHelperSuite"},
            "Kosinkadink/ComfyUI-VideoHelperSuite",
        ),
        ("VHS_VideoCombine", {}, "Kosinkadink/ComfyUI-VideoHelperSuite"),
        ("WanVideoSampler", {}, "kijai/ComfyUI-WanVideoWrapper"),
        ("IPAdapterUnifiedLoader", {}, "cubiq/ComfyUI_IPAdapter_plus"),
        ("Power Puter (rgthree)", {}, "rgthree/rgthree-comfy"),
    ],
)
def test_the_pack_is_named(
    name: str, properties: dict[str, Any], said: str, definitions: Definitions, tmp_path: Path
) -> None:
    error = told(editor_file(tmp_path / "a.json", (name, properties)), definitions)

    assert f"{name} (from {said})" in error.message
    assert "no node packs" in error.hint
    assert "LTX_STUDIO_COMFY_DIR" not in error.hint, "a pack there would not be loaded"


def test_each_kind_of_node_has_its_own_advice(definitions: Definitions, tmp_path: Path) -> None:
    error = told(
        editor_file(
            tmp_path / "a.json",
            ("VHS_VideoCombine", {}),
            ("VRAM_Debug", {}),
            ("WanVideoSampler", {}),
            ("NobodyKnowsThis", {}),
            ("LTXVDualCFGGuider", {"cnr_id": "comfy-core"}),
            ("KlingVideoNode", {"cnr_id": "comfy-core"}),
            ("QuiteNewNode", {"cnr_id": "comfy-core"}),
        ),
        definitions,
    )

    assert "lacks 7 nodes" in error.message
    assert "LTXVDualCFGGuider (from ComfyUI 0.32)" in error.message
    assert "KlingVideoNode (from an online service)" in error.message
    assert "QuiteNewNode (from a newer ComfyUI)" in error.message
    assert "NobodyKnowsThis" in error.message
    assert "set LTX_STUDIO_COMFY_DIR to the folder of ComfyUI 0.32 or newer" in error.hint
    assert "KlingVideoNode would send your data to a paid service" in error.hint
    assert "replace VHS_VideoCombine with Create Video and Save Video" in error.hint
    assert "bypass VRAM_Debug (Ctrl+B)" in error.hint
    assert (
        "For NobodyKnowsThis, WanVideoSampler, use a node of ComfyUI's own, or run the workflow in ComfyUI"
        in error.hint
    )


@pytest.mark.parametrize("name", ["UnetLoaderGGUF", "DualCLIPLoaderGGUF", "LoaderGGUF", "VaeGGUF"])
def test_a_loader_of_gguf_files_is_replaced_with_its_file(name: str, definitions: Definitions, tmp_path: Path) -> None:
    hint = told(editor_file(tmp_path / "a.json", (name, {})), definitions).hint

    assert hint.endswith("ComfyUI's own loaders cannot read .gguf files: use the model as a .safetensors file.")


@pytest.mark.parametrize(
    ("name", "since"), [("LTXVDualCFGGuider", "0.32"), ("LTXVFreezeLatent", "0.32"), ("KSampler", "")]
)
def test_knows_which_comfyui_brought_a_node(name: str, since: str) -> None:
    assert node_since(name) == since


def test_tables_say_nothing_of_nodes_that_are_there(definitions: Definitions) -> None:
    newer = json.loads((TABLES / "node_versions.json").read_text())
    packs = json.loads((TABLES / "node_packs.json").read_text())

    assert [name for name in newer["nodes"] if name in definitions] == []
    assert [name for name in newer["partners"] if name in definitions or node_since(name)] == []
    assert [name for names in packs.values() for name in names if name in definitions] == []
    assert all(re.compile(name[1:]) for names in packs.values() for name in names if name.startswith("/"))
    assert [
        (name, key, value)
        for name, inputs in newer["values"].items()
        for key, values in inputs.items()
        for value in values
        if value in next(item for item in definitions.inputs(name) if item.name == key).choices
    ] == []


def test_every_official_template_is_read_or_has_true_advice(definitions: Definitions) -> None:
    def check(path: Path) -> None:
        if "nodes" not in json.loads(path.read_text()):
            return
        refused: WorkflowError | None = None
        try:
            read_workflow(path, definitions)
        except WorkflowError as error:
            refused = error

        if refused is not None:
            named = re.findall(r"(?:: |, )([^,]+?) \(from ([^)]+)\)", refused.message)
            assert named or "(from" not in refused.message
            for name, origin in named:
                assert name not in definitions
                assert origin.startswith("ComfyUI") == bool(node_since(name))
                assert (origin == "an online service") == (is_partner(name) and not node_since(name))
            assert refused.hint

    check_rows(sorted(TEMPLATES.glob("*.json")), check, lambda path: path.stem)


def test_a_name_without_end_is_compared_quickly() -> None:
    assert pack_of("x" * 10_000_000) == ""
    assert unknown_nodes({"x" * 100_000: ""}).hint
