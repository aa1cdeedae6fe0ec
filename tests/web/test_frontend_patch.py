"""`ltx_studio.web.frontend_patch`: the installed Gradio has the slow words once, and the fast ones do the same."""

import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any

from gradio.route_utils import BUILD_PATH_LIB
from playwright._impl._driver import compute_driver_executable

from ltx_studio.web.frontend_patch import FAST, SLOW, patched

A_SCRIPT = next(Path(BUILD_PATH_LIB).glob("core-*.js"))
COMPARE = """
const [slow, fast, pages] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const run = (text, { ids, events }) => {
  const made = new (eval(`(class { ${text} })`))();
  const find = (id) => made.find_attached_events({ id, props: { shared_props: {} } }, events);
  return ids.map((id) => find(id).props.shared_props.attached_events);
};
console.log(JSON.stringify(pages.map((page) => [run(slow, page), run(fast, page)])));
"""


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


def test_the_installed_script_is_patched_once() -> None:
    script = A_SCRIPT.read_bytes()

    assert script.count(SLOW.encode()) == 1
    assert patched(A_SCRIPT.name, script) == script.replace(SLOW.encode(), FAST.encode())


def test_another_script_is_served_as_it_is() -> None:
    assert patched("core-new.js", b"find_attached_events(e){}") == b"find_attached_events(e){}"
    assert patched("index-1.js", SLOW.encode()) == SLOW.encode()


def test_both_find_the_same_events() -> None:
    given = json.dumps([SLOW, FAST, [page(seed) for seed in range(300)]])
    node, _ = compute_driver_executable()
    done = subprocess.run([str(node), "-e", COMPARE], input=given, capture_output=True, text=True, check=True)

    answers = json.loads(done.stdout)
    assert sum(len(events) > 1 for slow, _ in answers for events in slow) > 100
    assert [slow for slow, _ in answers] == [fast for _, fast in answers]
