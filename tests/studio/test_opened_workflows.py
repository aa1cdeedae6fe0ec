"""Each workflow that is dropped or sent is read once, however often it is asked for."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ltx_studio import sandbox
from ltx_studio.errors import BusyError, RequestError, StudioError
from ltx_studio.settings import Settings
from ltx_studio.studio.opened_workflows import MOST_KEPT, OpenedWorkflows


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were parsed, in their order."""
    parsed: list[Path] = []
    read = sandbox.read

    def counted(parse: Any, path: Path, *args: Any) -> Any:
        parsed.append(path)
        return read(parse, path, *args)

    monkeypatch.setattr(sandbox, "read", counted)
    return parsed


def workflow(path: Path, text: str = '{"1": {"class_type": "RandomNoise", "inputs": {"noise_seed": 7}}}') -> Path:
    path.write_text(text)
    return path


@pytest.mark.usefixtures("definitions")
def test_a_file_is_parsed_once_for_card_form_and_run(settings: Settings, tmp_path: Path, reads: list[Path]) -> None:
    files, path = OpenedWorkflows(settings), workflow(tmp_path / "a.json")

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: files.get(path), range(12)))

    assert reads == [path]
    assert {id(each) for each in found} == {id(found[0])}
    assert [field.key for field in found[0].fields] == ["1.noise_seed"]


SAVES = """{
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "dark"}}
}"""


@pytest.mark.usefixtures("definitions")
def test_a_request_takes_the_values_of_the_form(settings: Settings, tmp_path: Path) -> None:
    files = OpenedWorkflows(settings)
    opened = files.get(workflow(tmp_path / "a.json", SAVES))

    request = files.request("dark", opened, {"1.color": 255}, trusted=False)

    assert request.graph["1"]["inputs"]["color"] == 255


@pytest.mark.usefixtures("definitions")
def test_a_file_that_is_refused_is_parsed_once_too(settings: Settings, tmp_path: Path, reads: list[Path]) -> None:
    files, path = OpenedWorkflows(settings), workflow(tmp_path / "a.json", "{")
    for _ in range(3):
        with pytest.raises(StudioError, match="is not JSON"):
            files.get(path)

    assert reads == [path]


@pytest.mark.usefixtures("definitions")
def test_a_file_that_has_changed_is_parsed_again(settings: Settings, tmp_path: Path, reads: list[Path]) -> None:
    files, path = OpenedWorkflows(settings), workflow(tmp_path / "a.json")
    files.get(path)
    workflow(path, '{"22": {"class_type": "RandomNoise", "inputs": {"noise_seed": 7}}}')

    assert set(files.get(path).graph) == {"22"}
    assert len(reads) == 2


@pytest.mark.usefixtures("definitions")
def test_only_the_last_few_are_kept(settings: Settings, tmp_path: Path, reads: list[Path]) -> None:
    files = OpenedWorkflows(settings)
    paths = [workflow(tmp_path / f"{number}.json") for number in range(MOST_KEPT + 1)]
    for path in paths:
        files.get(path)

    files.get(paths[-1])
    files.get(paths[0])

    assert reads == [*paths, paths[0]]


@pytest.mark.usefixtures("definitions")
def test_what_is_not_the_files_fault_is_tried_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, path = OpenedWorkflows(settings), workflow(tmp_path / "a.json")

    def busy(*_: object) -> None:
        raise BusyError("The studio is reading other files.", "Try again in a moment.")

    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "read", busy)
        with pytest.raises(BusyError):
            files.get(path)

    assert files.get(path).fields


def test_a_file_that_is_gone_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"^gone\.json can no longer be read"):
        OpenedWorkflows(settings).get(tmp_path / "gone.json")
