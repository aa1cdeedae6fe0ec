"""`ltx_studio.web.gradio_compat.late_props`: a script runs once, when the component's properties are there."""

import subprocess

import pytest
from playwright._impl._driver import compute_driver_executable

from ltx_studio.web.gradio_compat.late_props import when_there

RUN = """
const [script, early, late] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const ran = [], watched = [], props = { ...early };
new Function("props", "watch", "ran", script)(props, (names, tell) => watched.push([names, tell]), ran);
for (const [name, value] of Object.entries(late)) {
  props[name] = value;
  for (const [names, tell] of watched) if (names.includes(name)) tell();
}
console.log(JSON.stringify(ran));
"""


@pytest.mark.parametrize(
    ("early", "late", "ran"),
    [
        ('{"says": 1, "examples": 2}', "{}", "[1]"),
        ("{}", '{"says": 1, "examples": 2}', "[1]"),
        ('{"says": 1}', '{"examples": 2, "value": 3}', "[1]"),
        ('{"says": 1, "examples": 2}', '{"says": 4}', "[1]"),
        ('{"says": 1}', "{}", "[]"),
    ],
)
def test_a_script_runs_once_when_its_properties_are_there(early: str, late: str, ran: str) -> None:
    node, _ = compute_driver_executable()
    script = when_there("ran.push(props.says)", "says", "examples").replace("\n", " ").replace('"', '\\"')

    done = subprocess.run(
        [str(node), "-e", RUN], input=f'["{script}", {early}, {late}]', capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == ran
