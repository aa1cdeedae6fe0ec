"""Every text of the page is in the catalogue: in the pseudo-language nothing is left in English."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from ltx_studio import modes
from ltx_studio.advice import Advice
from ltx_studio.engine import Engine
from ltx_studio.engine.memory import Memory
from ltx_studio.errors import RequestError, StudioError
from ltx_studio.media import by_name, check_lora, probe_clip, probe_picture, probe_sound
from ltx_studio.models import get_registry
from ltx_studio.models.needs import needs_of
from ltx_studio.modes import MODES, Media
from ltx_studio.queue import Failed, Job, Progress, Queued, QueueSnapshot, Running, State
from ltx_studio.runners import LocalRunner
from ltx_studio.runners.cluster_state import WorkerState
from ltx_studio.runners.protocol import Cost
from ltx_studio.settings import Settings
from ltx_studio.settings.values import Vram
from ltx_studio.studio import Studio
from ltx_studio.text.catalogue import Template, parameters, translated
from ltx_studio.web import build_app, cards, words
from ltx_studio.web.access.answers import as_gradio_error
from ltx_studio.web.access.gate import login_page
from ltx_studio.web.forms.form import Form
from ltx_studio.web.forms.loras import LoraShelf
from ltx_studio.web.gradio_compat.document import with_head
from ltx_studio.web.hints import WORDS, hint_of, message_of
from ltx_studio.web.panels import memory, model_cards, queue_panel
from ltx_studio.web.panels.workers import workers_card
from tests import pseudo_language
from tests.pseudo_language import spoken
from tests.support import small_spec
from tests.web.untranslated import HIDDEN, LABELS, english, plain, texts_of
from tools.messages import messages


@pytest.fixture
def pseudo(tmp_path: Path) -> Iterator[None]:
    with spoken(tmp_path):
        yield


@pytest.mark.usefixtures("pseudo")
def test_all_components_of_the_page_are_in_the_catalogue(home: Settings) -> None:
    settings = replace(home, language=pseudo_language.CODE)
    blocks = build_app(settings, studio=Studio(settings, LocalRunner(settings, Engine(settings))))
    left = {}
    for component in blocks.config["components"]:
        props = component["props"]
        if component["type"] == "api" or props.get("label") in HIDDEN or props.get("visible") == "hidden":
            continue
        for name in LABELS:
            shown = props.get(name)
            if name == "choices":
                shown = [label for label, _ in shown or ()]
            if name == "value" and component["type"] in ("radio", "dropdown", "textbox", "state"):
                continue
            for text in texts_of(shown):
                if found := english(text):
                    left[f"{component['type']} {props.get('elem_id')} {name}"] = found[:200]

    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


@pytest.mark.usefixtures("pseudo")
def test_each_text_that_was_filled_in_is_recognized() -> None:
    """What another package has filled in is found by its template, and not taken for another one."""
    wrong = {}
    for each in messages():
        template = Template.of(each.text)
        if template is None or each.names or template.letters < 2:
            continue
        given = {name: f"{17 + index}" for index, name in enumerate(dict.fromkeys(template.names))}
        text = filled(each.text, given)
        if translated(text) != filled(pseudo_language.pseudo(each.text), given):
            wrong[each.text] = translated(text)

    assert wrong == {}, json.dumps(wrong, indent=1, ensure_ascii=False)


@pytest.mark.usefixtures("pseudo")
def test_a_hostile_text_ends_the_search() -> None:
    """What a visitor sent may look like many messages in each other."""
    for text in ("is ", "Sound ", "Sound: ", "is not a ", "x. ", "(a "):
        assert len(translated(text * (2_000 // len(text)))) < 100_000


def filled(message: str, given: Mapping[str, str]) -> str:
    """Return a message with its parameters put in as they are, whatever its formats say."""
    for name, value in given.items():
        message = re.sub(rf"\{{{name}[^{{}}\w]?[^{{}}]*\}}", value, message)
    return message.replace("{{", "{").replace("}}", "}")


@pytest.mark.usefixtures("pseudo")
def test_each_kind_of_error_is_worded_by_the_catalogue() -> None:
    kinds: list[type[StudioError]] = [StudioError, *subclasses(StudioError)]
    advice = [Advice.to(do, **dict.fromkeys(parameters(WORDS[do]), "7")) for do in WORDS]
    left = {}
    for kind in kinds:
        for given in (None, *advice):
            problem = kind("The disk is full: nothing can be saved.", "Free some space, then try again.", advice=given)
            for shown in (cards.error(problem), str(as_gradio_error(problem))):
                if found := english(shown):
                    left[f"{kind.__name__} {given and given.do}"] = found

    assert len(kinds) > 20
    assert left == {}


@pytest.mark.usefixtures("pseudo")
def test_what_requests_are_refused_for_is_in_the_catalogue(home: Settings, tmp_path: Path) -> None:
    sets = get_registry(home)
    left, count = {}, 0
    for mode in MODES.values():
        examples = Path(modes.__file__).parent / "example_files"
        kinds = {Media.PICTURE: "face.png", Media.SOUND: "voice.wav", Media.CLIP: "falls.mp4"}
        good = {"prompt": "⟦p⟧", **{name: examples / kinds[kind] for name, kind in mode.media.items() if kind in kinds}}
        bad = [
            {},
            {**good, "strange": 1},
            *({**good, name: value} for name in mode.params.model_fields for value in BAD),
        ]
        for values in bad:
            try:
                mode.parse(values, sets.get_set("pocket"))
            except StudioError as error:
                count += 1
                if found := plain(f"{message_of(error)} {hint_of(error)}".replace(str(Path.cwd()), "")):
                    left[str(values)[-60:]] = found
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        for probe in (probe_picture, probe_sound, probe_clip, partial(check_lora, width=1024)):
            with pytest.raises(StudioError) as refused:
                probe(tmp_path / name)
            if found := plain(f"{message_of(refused.value)} {hint_of(refused.value)}"):
                left[f"{probe} {name}"] = found

    assert count > 300
    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


BAD: tuple[Any, ...] = ("⟦x⟧", -1, 1e9, {"a": 1}, "")
FILES = {"⟦a⟧.txt": b"hello", "⟦b⟧.png": b"", "⟦c⟧.png": b"\x89PNG\r\n\x1a\nxx", "⟦d⟧.pdf": b"%PDF-1.4 x"}


def subclasses(kind: type[StudioError]) -> Iterator[type[StudioError]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


LITERAL = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`")
OF_BROWSERS = {"Home", "End", "Tab", "Shift", "Control", "Alt", "Meta", "Enter", "Escape", "Files"}
"""Names of keys, and of what is dragged."""


def test_scripts_have_no_texts_of_their_own() -> None:
    """Scripts show what the page gives them: properties (`says`), attributes, and the texts of components."""
    found = {
        f"{path.name}: {literal}"
        for path in (Path(words.__file__).parent / "assets").glob("*.js")
        for match in LITERAL.finditer(re.sub(r"(^|\s)//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
        for literal in match.groups()
        if literal
        and literal not in OF_BROWSERS
        and re.search(r"(^|\s)[A-Z][a-z]{2,}([\s:.…!?]|$)|\s[a-z]{2,}[.…!?]$", literal)
    }
    assert found == set()


@pytest.mark.usefixtures("pseudo")
def test_the_page_and_the_login_say_their_language() -> None:
    assert with_head(b'<html\n\tlang="en"><script>window.gradio_config', b"", "qps").startswith(b'<html\n\tlang="qps">')
    login = bytes(login_page().body).decode()

    assert '<html lang="qps">' in login
    assert english(login.partition("<body>")[2]) == ""


@pytest.mark.usefixtures("pseudo")
def test_cards_and_what_handlers_answer_are_in_the_catalogue(home: Settings) -> None:
    """What the page shows later: the status of a run, the queue, a form's line, notes, memory, checks, a recipe."""
    failed = RequestError(
        "a.png is not a picture, or its format is not supported.", "Use a PNG, JPEG, WebP or HEIC file."
    )
    states: tuple[State, ...] = (
        Running(0.0, Progress("Stage 1", 2, 8, 1, 2)),
        Queued(0),
        Queued(3),
        Failed(9.0, failed),
    )
    jobs = [
        Job(f"j{index}", "ada", "t2v", {"params": {"prompt": "⟦red⟧", "seed": 7}}, 1.0, state)
        for index, state in enumerate(states)
    ]
    queue = QueueSnapshot(running=(jobs[0],), waiting=tuple(jobs[1:3]), ended=(jobs[3],), waits=2, failed=1)
    chosen = get_registry(home).get_set("fp8")
    reading = Memory("cpu", "shared", 100, 50, 20, (("Video", 3),))
    spec = small_spec()
    phases = spec.build(by_name).phases
    shown = {
        "queue": queue_panel.view(queue, None),
        "empty queue": queue_panel.view(QueueSnapshot(), None),
        "counts": queue_panel.counts(queue),
        "runs": [cards.run(job, phases, translated(spec.summary()), 9.0, left=61, more=2) for job in jobs[:3]],
        "others": [cards.going(jobs[0], "⟦red⟧", left=5, part=0.2), cards.deleted("x", 5), cards.help_dialog()],
        "told": cards.told("", seconds=200, cost=Cost(130, 260, 300, 60), clips=3),
        "workers": workers_card(
            [WorkerState("⟦w⟧", "GPU", 1, 2, "j1", "⟦set⟧", heard=1.0), WorkerState("⟦w⟧", problem="It is starting.")]
        ),
        "memory": [memory.badge_of(reading), memory.policy(reading), *map(memory.tier, Vram)],
        "needs": model_cards.needs(chosen, needs_of(chosen, get_registry(home)), disk=1, seconds=(30, 9000)),
        "forms": list(forms_of(home)),
    }
    left = {
        name: found
        for name, value in shown.items()
        if (found := [each for each in map(english, texts_of(value)) if each])
    }

    assert left == {}, json.dumps(left, indent=1, ensure_ascii=False)


def forms_of(home: Settings) -> Iterator[Any]:
    """Yield what each form tells, as it is built and with values that are refused, have no effect or are changed."""
    chosen = get_registry(home).get_set("pocket")
    for mode in MODES.values():
        form = Form(mode, chosen, lambda spec: None, LoraShelf(home, chosen))
        with gr.Blocks():
            form.build()
        raw = {name: getattr(each, "value", None) for name, each in form.components.items()}
        for changes in ({}, {"seconds": 99.0}, {"preset": "draft", "camera": "jib-up"}, {"shape": "own", "width": 1}):
            for update in form.tell({**raw, **changes}):
                yield [label for label, _ in update.get("choices", ())] if isinstance(update, dict) else update
                yield [update.get("label"), update.get("info")] if isinstance(update, dict) else ""
