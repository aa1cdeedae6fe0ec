"""`docs/page.md` names handlers that are on the page."""

import re

from ltx_studio.engine import Engine
from ltx_studio.runners import LocalRunner
from ltx_studio.settings import Settings
from ltx_studio.studio import Studio
from ltx_studio.web import build_app
from tests.support import ROOT

HANDLERS = re.compile(r'\["([^"]+)"\]')
NAME = re.compile(r"_?[a-z]+(?:_[a-z]+)*")


def test_each_handler_in_the_picture_is_on_the_page(home: Settings) -> None:
    blocks = build_app(home, studio=Studio(home, LocalRunner(home, Engine(home))))
    known = {str(event.name) for event in blocks.fns.values()} | {"stream"}
    boxes = HANDLERS.findall((ROOT / "docs" / "page.md").read_text(encoding="utf-8"))
    named = {name.strip() for box in boxes for name in box.partition(":")[0].split(",")}

    assert len(boxes) > 10
    assert [name for name in sorted(named) if not NAME.fullmatch(name)] == []
    assert sorted(named - known) == []
