"""The package as others install it: its files, and the locks beside its declared dependencies."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ltx_studio import __version__
from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_is_the_same_everywhere_and_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert PROJECT["project"]["version"] == __version__
    assert re.findall(r"^## \[(\d[^]]*)\]", changelog, flags=re.MULTILINE)[0] == __version__


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    uv = shutil.which("uv") or str(Path(sys.prefix) / "bin" / "uv")
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "ltx_studio"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()

    subprocess.run([uv, "build", "--quiet", "--offline", "--wheel", "--out-dir", tmp_path, ROOT], check=True)

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("ltx_studio/") and not name.endswith("/")}
    assert packed == {name for name in listed if (ROOT / name).is_file()}


@pytest.mark.parametrize(
    ("lock", "declared"),
    [
        ("runtime", PROJECT["project"]["dependencies"]),
        ("dev", PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ],
    ids=["runtime", "dev"],
)
def test_the_locks_hold_what_is_declared(lock: str, declared: list[str]) -> None:
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, flags=re.MULTILINE):
        locked.setdefault(canonicalize_name(name), []).append(version)

    wrong = [
        line
        for line, wanted in ((line, Requirement(line)) for line in declared)
        if not all(wanted.specifier.contains(found) for found in locked.get(canonicalize_name(wanted.name), ["0"]))
    ]

    assert wrong == [], "run `make lock`"
