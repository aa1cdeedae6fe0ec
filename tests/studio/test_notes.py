"""What could not be written about a finished clip is said where its end is told."""

import errno
import json
from pathlib import Path

import pytest

from ltx_studio.cli.generate import _deliver, _Voice
from ltx_studio.queue import LOCAL, Done
from ltx_studio.studio import Studio
from tests.support import small_spec


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_line_says_that_the_recipe_is_not_in_the_file(
    studio: Studio, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ltx_studio.takes.recipes.write", full)
    spec = small_spec()
    (job,) = studio.jobs.submit(LOCAL, [spec])
    *_, ended = studio.jobs.follow(job, LOCAL)
    assert isinstance(ended.state, Done)

    _deliver(studio, job, ended.state.take, spec, None, _Voice(as_json=as_json))

    told = capsys.readouterr()
    said = " ".join(json.loads(told.out)["notes"]) if as_json else told.err
    assert "saved without its recipe in the file (No space left on device)" in said
    assert Path(json.loads(told.out)["path"] if as_json else told.out.strip()).is_file()
