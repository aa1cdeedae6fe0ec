"""A running page is replaced: who loads it anew gets the new one, and open tabs keep theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from ltx_studio.engine import Engine
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import COOKIE
from ltx_studio.web.panels import texts
from ltx_studio.web.panels.model_sets import ModelSets
from ltx_studio.web.studio_blocks import StudioBlocks
from tests.models.test_loras import write_lora
from tests.web.pace import collected
from tests.web.serving import serving

HERE = gr.Request(session_hash="a tab", cookies={})


@pytest.fixture
def opened(home: Settings) -> Iterator[StudioBlocks]:
    with serving(Studio(home, LocalRunner(home, Engine(home)))) as blocks:
        yield blocks


def page_of(blocks: StudioBlocks) -> dict[str, Any]:
    config: dict[str, Any] = httpx.get(f"{blocks.local_url}config").raise_for_status().json()
    return {each["props"].get("elem_id"): each["props"] for each in config["components"]}


def ask(blocks: StudioBlocks, session: str, index: int, data: list[Any]) -> Any:
    call = {"data": data, "fn_index": index, "session_hash": session}
    answer = httpx.post(f"{blocks.local_url}gradio_api/run/predict", json=call, timeout=60)
    return answer.json()


def _handler(blocks: StudioBlocks, name: str) -> Any:
    """Return the handler of this name of the page as it is served now."""
    return next(fn.fn for fn in blocks.fns.values() if fn.name == name)


def test_a_set_is_switched_while_the_server_runs(
    opened: StudioBlocks, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelSets, "_is_complete", lambda *_: True)
    badge = next(fn for fn in opened.fns.values() if fn.name == "_shown")
    before = page_of(opened)
    assert "Memory" in str(ask(opened, "an-old-tab", badge._id, [])["data"])

    upload, generate, look = (_handler(opened, name) for name in ("take_in", "generate", "_ready"))
    (mine,) = upload([str(write_lora(tmp_path / "mine.safetensors"))])
    _handler(opened, "_use")("distilled-fp8", HERE)
    after = page_of(opened)

    assert "Pocket preview" in str(before["studio-header"]["value"])
    assert "LTX-2.3 22B distilled fp8" in str(after["studio-header"]["value"])
    assert after["models-set"]["value"] == "distilled-fp8"
    assert len(str(after["t2v-preset"])) < len(str(before["t2v-preset"]))  # Fast and Draft only
    assert "Memory" in str(ask(opened, "an-old-tab", badge._id, [])["data"])  # it keeps its page
    new = next(fn for fn in opened.fns.values() if fn.name == "_shown")
    assert "Memory" in str(ask(opened, "a-new-tab", new._id, [])["data"])
    assert 'model_set = "distilled-fp8"' in home.settings_file.read_text()
    assert mine["key"] in str(_handler(opened, "_open")({"t2v": {"loras": [mine]}})), "a draft keeps what was uploaded"
    assert "now uses another model set, LTX-2.3 22B distilled fp8" in str(collected(generate(HERE, *[None] * 99)))
    assert texts.IN_USE_NOW in str(look("distilled-fp8", False, "", HERE)), "an open tab learns of it"
    assert texts.IN_USE_NOW not in str(_handler(opened, "_ready")("distilled-fp8", False, "", HERE))
    client = Client(str(opened.local_url), verbose=False)
    assert "/t2v" in client.view_api(return_format="dict")["named_endpoints"]  # those of the new page
    client.close()


def test_a_visitor_does_not_switch_the_set_for_all_but_the_owner_does(opened: StudioBlocks, home: Settings) -> None:
    use = _handler(opened, "_use")
    opened.owners.apart = opened.owners.guarded = opened.owners.at_home = True
    refused = str(use("fp8", gr.Request(session_hash="a guest, who knows the password", cookies={})))
    incomplete = str(use("fp8", gr.Request(session_hash="", cookies={COOKIE: opened.owners.home})))

    assert texts.NOT_SWITCHED in refused
    assert texts.INCOMPLETE.format(label="LTX-2.3 22B fp8") in incomplete
    assert not home.settings_file.exists()
