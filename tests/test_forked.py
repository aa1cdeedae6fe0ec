"""A command in a forked process does what it does in a new Python, and leaves nothing to the next one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltx_studio.settings import Settings
from tests import forked
from tests.forked import run_forked
from tests.support import ROOT, environment


@pytest.mark.parametrize(
    "arguments", [["modes", "--json"], ["fly"], [], ["jobs", "list"], ["doctor", "--json"], ["models", "plan", "x"]]
)
def test_it_ends_and_says_as_a_new_python_does(arguments: list[str], home: Settings) -> None:
    env = environment(home, NO_COLOR="1")

    done = run_forked(arguments, env, ROOT)

    command = [sys.executable, "-m", "ltx_studio", *arguments]
    new = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (new.returncode, new.stdout, new.stderr)


def test_each_has_its_own_variables_and_folder(home: Settings, tmp_path: Path) -> None:
    before = dict(os.environ)
    for number in range(2):
        (tmp_path / f"place{number}").mkdir()
    (tmp_path / "place0" / "picture.png").touch()

    ended = [
        run_forked(arguments, environment(home, LTX_STUDIO_HOME=str(tmp_path / f"home{number}")), place)
        for number in range(2)
        for place in (tmp_path / f"place{number}",)
        for arguments in (
            ["settings", "set", "model_set", "pocket"],
            ["generate", "i2v", "--image", "picture.png", "--prompt", "x"],
        )
    ]

    assert [done.returncode for done in ended] == [0, 2, 0, 2], ended
    assert [(tmp_path / f"home{number}" / "settings.toml").is_file() for number in range(2)] == [True, True]
    assert ["There is no file" in ended[number].stderr for number in (1, 3)] == [False, True]
    assert dict(os.environ) == before


def test_one_that_takes_too_long_is_ended_and_the_next_one_runs(home: Settings) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_forked(["modes", "--json"], environment(home), ROOT, timeout=0)

    assert forked._servers == []
    assert run_forked(["modes"], environment(home)).returncode == 0


def test_texts_of_any_length_arrive(home: Settings) -> None:
    done = run_forked(["generate", "t2v", "--prompt", "ä" * 120_000], environment(home))

    assert (done.returncode, done.stdout) == (2, "")
    assert "too long" in done.stderr
