from pathlib import Path

import pytest

from ltx_studio.engine import definitions as snapshots
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.graph.definitions import Definitions
from ltx_studio.settings import Settings


def test_the_snapshot_holds_comfyuis_nodes_and_ours(definitions: Definitions) -> None:
    assert len(definitions) > 500
    assert "SaveVideo" in definitions
    assert "PocketTextEncoderLoader" in definitions


def test_a_change_to_our_nodes_makes_an_old_snapshot_unfound(
    definitions: Definitions, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot_path(settings)
    (tmp_path / "guider.py").write_text("class Guider: ...")

    monkeypatch.setattr(snapshots, "OUR_NODES", tmp_path)

    assert before.is_file()
    assert snapshot_path(settings) != before
    assert not snapshot_path(settings).exists()
