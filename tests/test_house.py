"""The shape of the house: which room may use which, and what stays out of the light ones."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGE = ROOT / "ltx_studio"
ROOMS = [
    "errors",
    "cancel",
    "words",
    "fileio",
    "limits",
    "reading",
    "weights",
    "encodings",
    "privacy",
    "settings",
    "events",
    "logs",
    "media",
    "graph",
    "workflows",
    "models",
    "modes",
    "engine",
    "pocket",
    "prepare",
]
ROOMS += ["jobs", "ui", "cli", "__main__"]
"""From the bottom up: a room may use those before it."""

KNOWS_NOTHING_OF = {
    "graph": {"modes", "engine"},
    "media": {"graph"},
    "models": {"modes"},
    "modes": {"engine"},
    "engine": {"modes", "models", "jobs"},
    "pocket": {"modes", "models"},
}
COMFYUI = {"comfy", "comfy_extras", "comfy_execution", "nodes", "execution", "server", "folder_paths", "latent_preview"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_uses_only_the_rooms_before_it(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    used = {name.split(".")[1] for name in imports_of(path) if name.startswith("ltx_studio.")} & set(ROOMS)

    assert {other for other in used if ROOMS.index(other) > ROOMS.index(room)} == set()
    assert used & KNOWS_NOTHING_OF.get(room, set()) == set()


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_comfyui_torch_and_gradio_stay_in_their_rooms(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports_of(path)}

    if room_of(path) not in ("engine", "pocket"):
        assert tops & (COMFYUI | {"torch"}) == set()
    if room_of(path) != "ui":
        assert "gradio" not in tops


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_in_its_first_line_what_it_owns_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    if path.parent.name != "workflows":
        assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert len(text.splitlines()) <= 400


RUN = "from ltx_studio.cli.commands import main; import contextlib\nwith contextlib.suppress(SystemExit): main({!r})"


@pytest.mark.parametrize(
    "code",
    [
        "import ltx_studio",
        RUN.format(["--help"]),
        RUN.format(["generate", "t2v", "--help"]),
        "import ltx_studio.engine, ltx_studio.jobs, ltx_studio.modes",
    ],
    ids=["import", "help", "generate help", "every room below the page"],
)
def test_starts_without_torch_comfyui_or_gradio(code: str) -> None:
    heavy = "torch", "gradio", "comfy", "transformers", "av", "numpy"
    check = f"{code}\nimport sys; print('LOADED', [name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_tests_use_the_real_thing() -> None:
    pattern = re.compile(r"unittest\.mock|MagicMock|mocker\b")
    guilty = [
        path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__) and pattern.search(path.read_text())
    ]

    assert guilty == []


def test_locks_carry_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        packages = re.findall(r"^\S+==\S+", text, flags=re.MULTILINE)
        assert len(packages) > 50
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(packages)
