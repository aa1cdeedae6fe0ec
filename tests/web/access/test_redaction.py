"""What others are told of this machine's folders: nothing."""

import pytest

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.settings import Settings
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction


@pytest.mark.parametrize(
    ("lies", "told"),
    [
        ("kept/0a1b2c.png", "…/0a1b2c.png"),
        ("temp/gradio/0a1b2c/my picture.png", "…/my picture.png"),
        ("clip.mp4", "…/clip.mp4"),
        ("outputs", "…/outputs"),
        ("models/loras/My Style/a b/my own.safetensors", "…/my own.safetensors"),
    ],
)
def test_others_are_told_a_files_name_and_whoever_sits_here_where_it_lies(home: Settings, lies: str, told: str) -> None:
    if lies.startswith("models/"):
        (home.home / lies).parent.mkdir(parents=True)
    owners = Owners()
    problem = RequestError(f"{home.home}/{lies} is not a picture.", f"See {home.home}/{lies} and the disk.")
    redaction = Redaction(home, owners)

    assert redaction.told(problem).message == f"{told} is not a picture."
    assert redaction.told(problem).hint == f"See {told} and the disk."
    with_advice = RequestError("a", "b", advice=Advice.to(Do.PLACE_MODEL, file="f", place=f"{home.home}/{lies}"))
    assert redaction.told(with_advice).advice == Advice.to(Do.PLACE_MODEL, file="f", place=told)
    owners.apart = False
    assert redaction.told(problem) is problem
