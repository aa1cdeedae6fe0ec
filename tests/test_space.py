"""The files of a Hugging Face Space."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ltx_studio.models.files import ModelFile
from tests.support import ROOT
from tests.test_packaging import PROJECT
from tools import space

COMMIT = "c" * 40


def front_matter(readme: Path) -> Mapping[str, Any]:
    _, front, _ = readme.read_text(encoding="utf-8").split(space.FENCE, 2)
    return yaml.safe_load(front)  # type: ignore[no-any-return]


def required() -> list[Requirement]:
    lines = space.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def test_the_front_matter_names_what_exists() -> None:
    matter = front_matter(ROOT / "README.md")

    assert matter["sdk"] == "gradio"
    assert (ROOT / matter["app_file"]).is_file()
    assert matter["python_version"] == "3.12"
    assert len(matter["short_description"]) <= 60
    assert matter["license"].upper() == PROJECT["project"]["license"]


def test_the_space_has_the_gradio_that_the_page_is_tested_with() -> None:
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    (pin,) = (Requirement(line) for line in PROJECT["project"]["dependencies"] if line.startswith("gradio"))

    version = front_matter(ROOT / "README.md")["sdk_version"]

    assert re.findall(r"^gradio==([^\s;]+)", lock, flags=re.MULTILINE) == [version]
    assert pin.specifier.contains(version)


def test_the_requirements_are_those_of_the_project() -> None:
    assert space.REQUIREMENTS.read_text(encoding="utf-8") == space.requirements(), "run `make lock`"


def test_the_requirements_leave_out_what_the_platform_brings_and_the_project_itself() -> None:
    names = {canonicalize_name(each.name) for each in required()}

    assert names.isdisjoint(space.FROM_THE_PLATFORM | {"ltx-studio"})
    assert {canonicalize_name(Requirement(line).name) for line in PROJECT["project"]["dependencies"]} == names | {
        "gradio",
        "huggingface-hub",
    }


def test_torch_is_the_newest_that_zerogpu_supports() -> None:
    found = {each.name: str(each.specifier) for each in required() if each.name.startswith("torch")}

    assert found["torch"] == "==2.11.0"
    assert {"torchvision", "torchaudio"} < found.keys()


def test_files_are_preloaded_by_repository_and_at_a_commit() -> None:
    files = [
        ModelFile("checkpoints", "b.safetensors", repo="org/one", path="sub/b.safetensors"),
        ModelFile("checkpoints", "a.safetensors", repo="org/one", path="a.safetensors"),
        ModelFile("vae", "c.safetensors", repo="org/two", path="c.safetensors"),
        ModelFile("vae", "own.safetensors"),
    ]

    assert space.preloads(files, lambda repo: f"commit-of-{repo}") == [
        "org/one a.safetensors,sub/b.safetensors commit-of-org/one",
        "org/two c.safetensors commit-of-org/two",
    ]


def test_a_gated_file_is_not_preloaded() -> None:
    gated = ModelFile("vae", "c.safetensors", repo="org/two", path="c.safetensors", gated=True)

    with pytest.raises(ValueError, match="org/two is gated"):
        space.preloads([gated], lambda _: COMMIT)


def test_a_staged_space_has_the_package_and_preloads_the_chosen_set(tmp_path: Path) -> None:
    space.stage(tmp_path, "fp8", lambda _: COMMIT)

    entries = front_matter(tmp_path / "README.md")["preload_from_hub"]
    assert f"Lightricks/LTX-2.3-fp8 ltx-2.3-22b-dev-fp8.safetensors {COMMIT}" in entries
    assert {each.name for each in tmp_path.iterdir()} == set(space.SHIPPED)
    assert (tmp_path / "ltx_studio" / "models" / "registry.toml").is_file()
    text = (ROOT / "README.md").read_text(encoding="utf-8").split(space.FENCE, 2)[2]
    assert (tmp_path / "README.md").read_text(encoding="utf-8").endswith(text)


def test_a_staged_space_with_the_pocket_model_preloads_nothing(tmp_path: Path) -> None:
    space.stage(tmp_path, "pocket", lambda _: COMMIT)

    assert "preload_from_hub" not in front_matter(tmp_path / "README.md")


def test_a_deployment_creates_the_space_and_uploads_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, Any]] = []

    class Hub:
        endpoint = "https://hub.example"

        def model_info(self, repo: str) -> Any:
            return type("Info", (), {"sha": f"{len(repo):040}"})()

        def create_repo(self, name: str, **options: Any) -> None:
            calls.append(("create", (name, options["space_sdk"], options["private"])))

        def add_space_variable(self, name: str, key: str, value: str) -> None:
            calls.append(("variable", (name, key, value)))

        def upload_folder(self, *, repo_id: str, folder_path: str, **_: Any) -> None:
            calls.append(("upload", (repo_id, front_matter(Path(folder_path) / "README.md")["preload_from_hub"][-1])))

        def request_space_hardware(self, name: str, hardware: str) -> None:
            calls.append(("hardware", (name, hardware)))

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)

    address = space.deploy("ada/studio", "fp8", "zero-a10g", private=True)

    assert address == "https://hub.example/spaces/ada/studio"
    assert calls == [
        ("create", ("ada/studio", "gradio", True)),
        ("variable", ("ada/studio", "LTX_STUDIO_MODEL_SET", "fp8")),
        ("upload", ("ada/studio", f"Lightricks/LTX-2.3-fp8 ltx-2.3-22b-dev-fp8.safetensors {22:040}")),
        ("hardware", ("ada/studio", "zero-a10g")),
    ]
