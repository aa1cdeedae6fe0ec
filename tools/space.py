"""Prepare and deploy a Hugging Face Space: `python -m tools.space OWNER/NAME` (docs/deploy-space.md).

The repository's README has the front matter that every Space needs. What depends on the model set is added to the copy
that is deployed: the files that the platform downloads when it builds the Space, each at a fixed commit.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ltx_studio.models.defaults import FOR_A_GPU, PREVIEW
from ltx_studio.models.files import ModelFile
from ltx_studio.models.registry import get_registry
from ltx_studio.modes import MODES
from ltx_studio.modes.required_models import model_files
from ltx_studio.settings import get_settings

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
FENCE = "---\n"

TORCH = {"torch": "2.11.0", "torchvision": "0.26.0", "torchaudio": "2.11.0"}
"""The newest torch that ZeroGPU supports, with the packages that go with it."""

FROM_THE_PLATFORM = {"gradio", "huggingface-hub", "spaces"}
"""The packages that a Space has already, in the versions that go together."""

NEEDED_BY_SPACES = {"httpx", "packaging", "psutil", "pydantic", "pydantic-core", "requests", "typing-extensions"}
"""What the package `spaces` requires, which only Spaces have."""

LOCKED = re.compile(r"^([\w.-]+)==([^\s;]+)", flags=re.MULTILINE)

SHIPPED = ("app.py", "LICENSE", "README.md", "requirements.txt", "packages.txt", "ltx_studio", "docs")
"""The files and folders of the repository that a Space needs."""

CommitOf = Callable[[str], str]


def requirements() -> str:
    """Return the Space's `requirements.txt`.

    It has the project's dependencies at the versions of the lock, without what the platform brings. Packages that the
    platform's own need too keep the project's range, because another version there would stop the Space from building.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = dict(LOCKED.findall((ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")))
    shared = _shared_with_the_platform()
    lines = [
        "# For a Hugging Face Space; written by `make lock` from pyproject.toml. ZeroGPU supports torch up to 2.11."
    ]
    for line in project["dependencies"]:
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        if name in FROM_THE_PLATFORM:
            continue
        if name in shared:
            lines.append(line)
        else:
            version = TORCH.get(name, locked[name])
            lines.append(f"{name}=={version}" + (f"; {wanted.marker}" if wanted.marker else ""))
    return "\n".join(lines) + "\n"


def _shared_with_the_platform() -> set[str]:
    """Return the packages that the platform's packages require."""
    lines = [line for name in ("gradio", "huggingface-hub") for line in metadata.requires(name) or ()]
    required = {canonicalize_name(Requirement(line).name) for line in lines if "extra ==" not in line}
    return required | NEEDED_BY_SPACES


def preloads(files: Iterable[ModelFile], commit_of: CommitOf) -> list[str]:
    """Return the `preload_from_hub` entries of model files: repository, paths in it, commit.

    Raises:
        ValueError: A file is in a gated repository, from which the platform cannot download.
    """
    paths: dict[str, list[str]] = {}
    for file in files:
        if file.gated:
            raise ValueError(f"{file.repo} is gated, so a Space cannot preload it. Choose another model set.")
        if file.repo:
            paths.setdefault(file.repo, []).append(file.path)
    return [f"{repo} {','.join(sorted(found))} {commit_of(repo)}" for repo, found in sorted(paths.items())]


def with_preloads(readme: str, entries: Sequence[str]) -> str:
    """Return a README whose front matter has these `preload_from_hub` entries."""
    _, front, text = readme.split(FENCE, 2)
    matter = yaml.safe_load(front)
    if entries:
        matter["preload_from_hub"] = list(entries)
    return FENCE + yaml.safe_dump(matter, sort_keys=False, allow_unicode=True, width=1000) + FENCE + text


def stage(folder: Path, model_set: str, commit_of: CommitOf) -> None:
    """Copy what a Space needs to `folder`, with the files of a model set to preload. It copies what git tracks."""
    for name in _tracked(SHIPPED):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    registry = get_registry(get_settings())
    files = model_files(MODES.values(), registry.get_set(model_set), registry)
    readme = folder / "README.md"
    entries = preloads(files, commit_of)
    readme.write_text(with_preloads(readme.read_text(encoding="utf-8"), entries), encoding="utf-8")


def _tracked(names: Iterable[str]) -> Iterator[str]:
    git = ["git", "ls-files", "-z", "--", *names]
    yield from filter(
        None, subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    )


def deploy(space: str, model_set: str, hardware: str, *, private: bool) -> str:
    """Create the Space if there is none, replace its files with the repository's, and return its address.

    The token is the one of Hugging Face's tools: HF_TOKEN, or that of `hf auth login`.
    """
    from huggingface_hub import HfApi, SpaceHardware

    api = HfApi()
    with tempfile.TemporaryDirectory() as scratch:
        stage(Path(scratch), model_set, lambda repo: str(api.model_info(repo).sha))
        api.create_repo(space, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
        api.add_space_variable(space, "LTX_STUDIO_MODEL_SET", model_set)
        api.upload_folder(repo_id=space, repo_type="space", folder_path=scratch, delete_patterns="*")
    if hardware:
        api.request_space_hardware(space, SpaceHardware(hardware))
    return f"{api.endpoint}/spaces/{space}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Deploy a Space, or with `--stage` write its files to a folder."""
    parser = argparse.ArgumentParser(prog="python -m tools.space", description=__doc__)
    parser.add_argument("space", nargs="?", help="OWNER/NAME")
    parser.add_argument("--model-set", default=FOR_A_GPU, help=f"model set to preload; {PREVIEW} needs no download")
    parser.add_argument("--hardware", default="", help="zero-a10g, cpu-basic, …; unchanged if left out")
    parser.add_argument("--private", action="store_true", help="make a new Space private")
    parser.add_argument("--stage", type=Path, metavar="FOLDER", help="only write the files, without fixed commits")
    parser.add_argument("--requirements", action="store_true", help="only write requirements.txt")
    given = parser.parse_args(arguments)
    if given.requirements:
        REQUIREMENTS.write_text(requirements(), encoding="utf-8")
    elif given.stage:
        stage(given.stage, given.model_set, lambda _: "main")
    elif given.space:
        print(deploy(given.space, given.model_set, given.hardware, private=given.private))
    else:
        parser.error("give the Space as OWNER/NAME")


if __name__ == "__main__":
    main()
