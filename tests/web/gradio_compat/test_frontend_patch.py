"""`ltx_studio.web.gradio_compat.frontend_patch`: each patch replaces one part of the scripts, and does what it says."""

import json
import re
import subprocess
from pathlib import Path
from random import Random
from typing import Any

from gradio.route_utils import BUILD_PATH_LIB
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, Page, expect

from ltx_studio.web import words
from ltx_studio.web.gradio_compat.frontend_patch import FAST, PATCHES, SLOW, patched
from tests.web.driver import choose

COMPARE = """
const [slow, fast, pages] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const run = (text, { ids, events }) => {
  const made = new (eval(`(class { ${text} })`))();
  const find = (id) => made.find_attached_events({ id, props: { shared_props: {} } }, events);
  return ids.map((id) => find(id).props.shared_props.attached_events);
};
console.log(JSON.stringify(pages.map((page) => [run(slow, page), run(fast, page)])));
"""


STATUSES = """
const [before, after, pages] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const run = (text, [outputs, inputs, updates]) => {
  globalThis.performance.now = () => 0;
  const made = new (eval(`(${text})`))();
  outputs.forEach((ids, fn) => made.register(fn, ids, inputs[fn], "full"));
  let moved = 0;
  for (const each of updates) {
    const held = { ...made.current };
    made.update(each);
    const own = [...outputs[each.fn_index], ...inputs[each.fn_index]];
    const others = Object.keys(held).filter((id) => !own.includes(Number(id)));
    moved += others.filter((id) => held[id] !== made.current[id]).length;
  }
  return [made.current, moved];
};
console.log(JSON.stringify(pages.map((page) => [run(before, page), run(after, page)])));
"""


def statuses(seed: int) -> tuple[list[list[int]], list[list[int]], list[dict[str, Any]]]:
    """Draw the outputs and inputs of each of four events, and the updates of their statuses."""
    random = Random(seed)
    outputs = [random.sample(range(8), random.randrange(1, 5)) for _ in range(4)]
    inputs = [random.sample(range(4, 12), 2) for _ in range(4)]
    updates = [
        {
            "fn_index": random.randrange(4),
            "status": random.choice(["pending", "generating", "complete", "error"]),
            "eta": random.choice([None, 3]),
            "stream_state": random.choice([None, "closed"]),
            **({"used_cache": "full", "cache_duration": 0.1, "avg_time": 2} if not random.randrange(6) else {}),
        }
        for _ in range(12)
    ]
    return outputs, inputs, updates


def class_in(script: str, start: str) -> str:
    """Return the class that begins with `start`."""
    begin = script.index(start)
    depth = 0
    for at in range(begin, len(script)):
        depth += {"{": 1, "}": -1}.get(script[at], 0)
        if script[at] == "}" and not depth:
            return script[begin : at + 1]
    raise AssertionError("the class has no end")


def page(seed: int) -> dict[str, Any]:
    """Draw components, and events with none to three targets, some twice and some without a name."""
    random = Random(seed)
    ids = list(range(random.randrange(1, 12)))
    names = ["click", "change", "input", "", None]
    events = [
        {"targets": [[random.choice([*ids, None]), random.choice(names)] for _ in range(random.randrange(4))]}
        for _ in range(random.randrange(20))
    ]
    return {"ids": ids, "events": events}


def test_each_patch_replaces_one_part_of_the_installed_scripts() -> None:
    scripts = {each.name: each.read_bytes() for each in Path(BUILD_PATH_LIB).glob("*.js")}

    for patch in PATCHES:
        with_it = [name for name, script in scripts.items() if patch.old.encode() in script]
        assert len(with_it) == 1, patch
        script = scripts[with_it[0]]
        assert script.count(patch.old.encode()) == 1
        assert patch.new.encode() in patched(with_it[0], script)


def test_another_script_is_served_as_it_is() -> None:
    assert patched("core-new.js", b"find_attached_events(e){}") == b"find_attached_events(e){}"
    assert patched("video-1.js", SLOW.encode()) == SLOW.encode()


def test_statuses_are_the_same_and_those_of_other_events_stay_untouched() -> None:
    (path,) = Path(BUILD_PATH_LIB).glob("statustracker-*.js")
    before, after = (
        class_in(each.decode(), "class{current={};")
        for each in (path.read_bytes(), patched(path.name, path.read_bytes()))
    )
    given = json.dumps([before, after, [statuses(seed) for seed in range(200)]])
    node, _ = compute_driver_executable()

    done = subprocess.run([str(node), "-e", STATUSES], input=given, capture_output=True, text=True, check=True)

    found = json.loads(done.stdout)
    assert len(found) == 200
    assert all(was == now for (was, _), (now, _) in found)
    was, now = (sum(each[side][1] for each in found) for side in (0, 1))
    assert now < was / 4


def test_both_find_the_same_events() -> None:
    given = json.dumps([SLOW, FAST, [page(seed) for seed in range(300)]])
    node, _ = compute_driver_executable()
    done = subprocess.run([str(node), "-e", COMPARE], input=given, capture_output=True, text=True, check=True)

    answers = json.loads(done.stdout)
    assert sum(len(events) > 1 for slow, _ in answers for events in slow) > 100
    assert [slow for slow, _ in answers] == [fast for _, fast in answers]


def test_the_page_speaks_one_language_in_a_browser_of_another(browser: Browser, page_url_without_comfyui: str) -> None:
    page = browser.new_context(locale="de-DE").new_page()
    page.goto(page_url_without_comfyui)

    for mode, field, says in (
        ("i2v", "image", "Drop a picture"),
        ("a2v", "audio", "Drop a sound"),
        ("style", "clip", "Drop a clip"),
    ):
        choose(page, mode)
        expect(page.locator(f"#{mode}-{field}")).to_contain_text(re.compile(rf"{says}[\s-]+or[\s-]+choose a file"))
    page.context.close()


HOLD_THE_CLOSING = """
    const ask = window.fetch;
    const isClosing = (chunk) => new TextDecoder().decode(chunk).includes("close_stream");
    window.fetch = async (...asked) => {
      const answer = await ask(...asked);
      if (!String(asked[0]?.url ?? asked[0]).includes("queue/data") || window.letClose) return answer;
      const late = new TransformStream({
        async transform(chunk, stream) {
          if (isClosing(chunk)) await new Promise((goOn) => (window.letClose = goOn));
          stream.enqueue(chunk);
        },
      });
      return new Response(answer.body.pipeThrough(late), answer);
    };
"""
"""A script: the first time that the server closes the stream of answers, the page learns of it when `letClose` is
called, as over a slow network."""


def test_a_search_is_answered_that_was_sent_while_the_server_closed_the_stream(
    page: Page, page_url_without_comfyui: str
) -> None:
    page.add_init_script(HOLD_THE_CLOSING)
    page.goto(page_url_without_comfyui)
    page.wait_for_function("Boolean(window.letClose)")

    with page.expect_response("**/queue/join?*") as joined:
        page.locator("#history-search :is(input, textarea)").evaluate(
            "(field) => { field.value = 'no such take'; field.dispatchEvent(new Event('input', { bubbles: true })); }"
        )
    joined.value.finished()
    page.wait_for_timeout(300)  # the page has read the answer
    page.evaluate("letClose()")

    expect(page.locator("#history-takes .nothing")).to_contain_text(words.NOTHING_FITS)
