"""The preset of the settings is the default of the page and of the API."""

import inspect
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ltx_studio.errors import SetupError
from ltx_studio.models import get_registry
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.api import Api
from ltx_studio.web.page import Page
from ltx_studio.web.shared import Shared


def parts(tmp_path: Path, preset: str) -> tuple[Studio, Owners, Any]:
    settings = Settings(home=tmp_path / "home", preset=preset)
    return Studio(settings), Owners(), get_registry(settings).get_set("pocket")


def test_the_page_chooses_it(tmp_path: Path) -> None:
    studio, owners, model_set = parts(tmp_path, "draft")
    page = Page(studio, owners, model_set, Shared(model_set))

    assert {form._default.id for form in page.forms.values()} == {"draft"}


def test_the_api_uses_it_where_a_request_names_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owners, "of", lambda self, request: LOCAL)
    studio, owners, model_set = parts(tmp_path, "draft")
    api = Api(studio, owners, model_set)

    assert inspect.signature(api._endpoint(MODES["t2v"])).parameters["preset"].default == "draft"
    requests: list[dict[str, Any]] = [{"mode": "t2v", "prompt": "a boat"}]
    requests.append({**requests[0], "preset": "fast"})
    jobs = api.batch(requests, gr.Request(username=None, session_hash="x"))
    assert [studio.jobs.get(job, LOCAL).spec["preset"] for job in jobs] == ["draft", "fast"]


def test_one_that_does_not_exist_is_told_when_the_page_starts(tmp_path: Path) -> None:
    studio, owners, model_set = parts(tmp_path, "best")

    with pytest.raises(SetupError, match="'best'"):
        Page(studio, owners, model_set, Shared(model_set))
