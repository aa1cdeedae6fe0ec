"""House rules that no linter checks. Layers and third-party imports are in `pyproject.toml` (`lint-imports`)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import SLOW
from tests.support import ROOT

PACKAGE = ROOT / "ltx_studio"
LONGEST = 400
"""Lines of a module."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_each_module_says_in_its_first_line_what_it_owns() -> None:
    assert [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def test_modules_stay_small() -> None:
    assert [path for path in modules() if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST] == []


RUN = "from ltx_studio.cli.commands import main; import contextlib\nwith contextlib.suppress(SystemExit): main({!r})"


@pytest.mark.parametrize(
    "code",
    [
        "import ltx_studio",
        RUN.format(["--help"]),
        RUN.format(["generate", "t2v", "--help"]),
        "import ltx_studio.studio",
    ],
    ids=["import", "help", "generate help", "every package below the interfaces"],
)
def test_starts_without_torch_comfyui_or_gradio(code: str) -> None:
    heavy = "torch", "gradio", "comfy", "transformers", "av", "numpy"
    check = f"{code}\nimport sys; print('LOADED', [name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_modules_that_are_listed_as_slow_exist() -> None:
    assert [path for path in SLOW if not (ROOT / path).is_file()] == []


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
