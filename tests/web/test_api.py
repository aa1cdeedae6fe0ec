"""The page's server as an API: what docs/api.md says, run; and what it must not do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from ltx_studio.engine import Engine
from ltx_studio.media import by_name
from ltx_studio.modes import MODES
from ltx_studio.settings import EVERYWHERE, LOOPBACK, Settings
from ltx_studio.web.access.owners import COOKIE, is_loopback
from tests.support import ROOT, small_spec
from tests.web.serving import serving, working

EXAMPLES = re.compile(r"```python\n(.*?)```", re.DOTALL)

pytestmark = pytest.mark.usefixtures("few_steps")
"""What is sampled is proved elsewhere."""


@pytest.fixture(scope="module")
def client(page_url: str) -> Client:
    return Client(page_url, verbose=False)


def test_what_the_documentation_shows_works(
    page_url: str, samples: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = tmp_path / "mine.json"
    workflow.write_text(json.dumps(small_spec().build(by_name).graph))
    names: dict[str, Any] = {"URL": page_url, "PICTURE": str(samples["image"]), "WORKFLOW": str(workflow)}

    for example in EXAMPLES.findall((ROOT / "docs" / "api.md").read_text()):
        exec(example, names)

    told = capsys.readouterr().out
    assert "done 1.0" in told
    assert "('23.text', 'Prompt', 'text')" in told
    assert names["job"]["mode"] == "workflow"


def test_a_workflow_of_other_model_files_runs_on_those_of_a_set(client: Client, tmp_path: Path) -> None:
    text = json.dumps(small_spec().build(by_name).graph)
    text = re.sub(r"[\w.-]*pocket[\w.-]*\.safetensors", "ltx-2.3-22b-dev-fp8.safetensors", text)
    (tmp_path / "mine.json").write_text(text)
    asked: dict[str, Any] = {"file": handle_file(tmp_path / "mine.json"), "api_name": "/workflow"}
    with pytest.raises(AppError, match="22b-dev-fp8"):
        client.predict(**asked)

    job = client.predict(**asked, map_models="pocket")

    *_, ended = client.submit(job=job["id"], api_name="/follow")
    assert ended["state"] == "done"
    assert any("ltx-2.3-22b-dev-fp8" in note for note in job["notes"])


def test_each_mode_has_an_endpoint_with_its_parameters_and_their_types(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]

    for mode in MODES.values():
        told = {each["parameter_name"]: each for each in endpoints[f"/{mode.id}"]["parameters"]}
        assert set(told) == {*mode.params.model_fields, "preset", "model_set"}
        needed = {name for name, each in told.items() if not each["parameter_has_default"]}
        files = {name for name in mode.media if mode.params.model_fields[name].is_required()}
        assert needed == {"prompt", *files}


def test_what_has_no_effect_is_told_with_the_job(client: Client) -> None:
    job = client.predict(
        prompt="a red circle", camera_strength=1.5, seconds=0.7, width=128, height=128, api_name="/t2v"
    )

    assert job["notes"] == ["Camera strength has no effect without a camera move."]


@pytest.mark.parametrize(
    ("endpoint", "given", "said"),
    [
        ("/t2v", {"prompt": " "}, "Write a prompt"),
        ("/t2v", {"prompt": "x", "seconds": 99}, "Use a value from 0.3"),
        ("/job", {"job": "nothing"}, "There is no job nothing"),
        ("/take", {"take": "../../etc/passwd"}, "There is no clip"),
        ("/batch", {"requests": [{"mode": "t2v", "prompt": "x"}, {"mode": "t3v"}]}, "Request 2"),
        ("/batch", {"requests": []}, "Send 1 to"),
        ("/batch", {"requests": "x"}, "requests is wrong: Input should be a valid list"),
        ("/batch", {"requests": [{"prompt": "x"}]}, "Request 1: There is no mode"),
        ("/t2v", {"prompt": ["x"]}, "prompt is wrong: Input should be a valid string"),
        ("/move", {"job": "x", "place": "first"}, "place is wrong"),
        ("/takes", {"limit": None}, "limit is wrong"),
        ("/takes", {"before": 10**30}, "too large"),
        ("/t2v", {"prompt": "x", "loras": [{"file": None, "strenght": 1}]}, "not uploaded"),
    ],
)
def test_what_is_wrong_comes_back_in_words(endpoint: str, given: dict[str, Any], said: str, client: Client) -> None:
    before = {job["id"] for job in client.predict(limit=1000, api_name="/jobs")}

    with pytest.raises(AppError, match=said):
        client.predict(**given, api_name=endpoint)

    assert {job["id"] for job in client.predict(limit=1000, api_name="/jobs")} == before


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "{home}/studio.db"])
def test_a_file_of_the_server_is_no_upload(path: str, page_url: str, settings: Settings) -> None:
    """By hand, as `gradio_client` would upload the file of that name from here."""
    file = {"path": path.format(home=settings.home), "meta": {"_type": "gradio.FileData"}}
    data = {"data": [file], "session_hash": "x"}

    with httpx.Client(base_url=page_url) as http:
        asked = http.post("/gradio_api/call/recipe", json=data)
        answer = http.get(f"/gradio_api/call/recipe/{asked.json()['event_id']}") if asked.is_success else asked

    assert "not uploaded" in answer.text or answer.is_error or "event: error" in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("how", ["a path", "a path in a batch", "a path as a LoRA", "a path in a workflow's field"])
def test_a_path_is_no_upload_either(how: str, client: Client, samples: dict[str, Path], tmp_path: Path) -> None:
    picture = str(samples["image"])
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    (tmp_path / "w.json").write_text(json.dumps(graph))
    asked: dict[str, Any] = {
        "a path": {"api_name": "/i2v", "prompt": "x", "image": picture},
        "a path in a batch": {"api_name": "/batch", "requests": [{"mode": "i2v", "prompt": "x", "image": picture}]},
        "a path as a LoRA": {"api_name": "/t2v", "prompt": "x", "loras": [{"file": picture}]},
        "a path in a workflow's field": {
            "api_name": "/workflow",
            "file": handle_file(tmp_path / "w.json"),
            "values": {"1.image": picture},
        },
    }

    with pytest.raises(AppError, match="not uploaded"):
        client.predict(**asked[how])


@pytest.fixture
def shared_url(settings: Settings, engine: Engine) -> Iterator[str]:
    """A page that others can reach."""
    with serving(working(settings, engine), on=EVERYWHERE) as blocks:
        yield f"http://{LOOPBACK}:{blocks.server_port}/"


def test_where_others_come_each_sees_its_own_only(shared_url: str) -> None:
    ada, bob = (Client(shared_url, verbose=False, headers={"Cookie": f"{COOKIE}={digit * 32}"}) for digit in ("a", "b"))
    job = ada.predict(requests=[{"mode": "t2v", "prompt": "secret", "seconds": 1}], api_name="/batch")[0]

    assert [each["id"] for each in ada.predict(api_name="/jobs")] == [job]
    assert bob.predict(api_name="/jobs") == []
    for endpoint in ("/job", "/cancel", "/retry"):
        with pytest.raises(AppError, match="There is no job"):
            bob.predict(job=job, api_name=endpoint)
    *_, ended = ada.submit(job=job, api_name="/follow")
    assert ended["state"] == "done"
    assert "a" * 32 not in json.dumps(ended)
    with pytest.raises(AppError, match="There is no clip"):
        bob.predict(take=ended["take"], api_name="/take")


def test_a_visitor_gets_a_cookie_that_scripts_cannot_read(shared_url: str, page_url: str) -> None:
    cookie = httpx.get(shared_url).headers["set-cookie"]

    assert re.match(rf"{COOKIE}=[0-9a-f]{{32}};", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "set-cookie" not in httpx.get(page_url).headers


def test_a_space_gives_a_cookie_that_browsers_keep_within_the_frame_of_its_host(
    shared_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/studio")
    cookie = httpx.get(shared_url).headers["set-cookie"]

    assert cookie.endswith("HttpOnly; SameSite=None; Secure; Partitioned")


@pytest.mark.parametrize(
    ("host", "own"),
    [(None, True), ("", True), ("localhost", True), ("127.0.0.1", True), ("127.0.0.2", True), ("::1", True),
     ("[::1]", True), ("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("studio.example", False)],
)  # fmt: skip
def test_an_address_of_this_machine_only_is_known(host: str | None, own: bool) -> None:
    assert is_loopback(host) is own


@pytest.mark.parametrize("foreign", ['foo={"a":1,"b":2}', "bare", "a=b c; d=e f"])
def test_a_cookie_of_another_program_does_not_make_a_new_owner_each_time(foreign: str, shared_url: str) -> None:
    ours = f"{foreign}; {COOKIE}={'c' * 32}"

    assert "set-cookie" not in httpx.get(shared_url, headers={"Cookie": ours}).headers
