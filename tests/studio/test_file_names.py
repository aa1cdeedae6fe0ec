"""Errors of a job name files as their user does, not as the studio keeps them."""

from pathlib import Path

from PIL import Image

from ltx_studio.errors import RequestError
from ltx_studio.queue import LOCAL, Failed, JobSpec
from ltx_studio.studio import Studio
from tests.fixtures import Request
from tests.support import MODEL_SETS


def test_a_file_that_fails_during_the_run_is_named_as_the_user_named_it(
    studio: Studio, small: Request, tmp_path: Path
) -> None:
    picture = tmp_path / "my holiday (1).png"
    Image.new("RGB", (400, 300), "teal").save(picture)
    studio.jobs.pause(LOCAL)
    (job,) = studio.jobs.submit(LOCAL, [JobSpec.from_request("i2v", small("i2v", image=picture), MODEL_SETS["pocket"])])
    kept = studio.jobs.request(studio.jobs.get(job, LOCAL)).files()["image"]
    kept.write_bytes(kept.read_bytes()[:200])
    studio.jobs.resume(LOCAL)
    *_, ended = studio.jobs.follow(job, LOCAL)

    assert isinstance(ended.state, Failed)
    said = f"{ended.state.error.message} {ended.state.error.hint}"
    assert "my holiday (1).png" in said
    assert kept.stem not in said


def test_an_error_with_other_names_is_the_same_kind_of_error() -> None:
    error = RequestError("aa.png is broken.", "Replace aa.png.", where="aa.png", details="aa.png", files=["x"])

    renamed = error.renamed({"aa.png": "mine.png", "bb.png": "other.png"})

    assert renamed == RequestError(
        "mine.png is broken.", "Replace mine.png.", where="mine.png", details="aa.png", files=["x"]
    )
