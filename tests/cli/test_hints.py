"""The sentences of the command line: scripts and people know them, so that they stay as they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ltx_studio.advice import Advice, Do, Note
from ltx_studio.cli.hints import as_dict, hint_of, notes_in_words
from ltx_studio.errors import StudioError
from ltx_studio.modes import MODES
from ltx_studio.queue import LOCAL, Database, Queue
from tests.support import REGISTRY

SET = Advice.to(Do.SET_VALUE, wanted="a number from 0 to 1", given="3.a b=0.5")
FETCH = Advice(Do.FETCH_MODELS, otherwise=Do.USE_POCKET)


@pytest.mark.parametrize(
    ("advice", "sentence"),
    [
        (
            Advice.to(Do.TRUST),
            "If you trust its author, add `--trust`, or tick “I trust this workflow” on the page.",
        ),
        (SET, "Set it to a number from 0 to 1: in its field, or with `--set '3.a b=0.5'`."),
        (
            Advice.to(Do.GIVE_WORKFLOW_FILE, key="1.image"),
            "Fill in its field, or set it with `--set 1.image=PATH`.",
        ),
        (
            Advice.to(Do.NAME_MODEL, given="2.unet_name=FILE.safetensors"),
            "Choose a file in one of ComfyUI's model folders: `--set 2.unet_name=FILE.safetensors`.",
        ),
        (
            Advice.to(Do.GIVE_FILE, field="image", mode="i2v"),
            "Add --image. See `ltx-studio generate i2v --help`.",
        ),
        (
            Advice.to(Do.GIVE_FILE, field="last_image", mode="keyframe"),
            "Add --last-image. See `ltx-studio generate keyframe --help`.",
        ),
        (Advice.to(Do.SEE_MODE, mode="t2v"), "See `ltx-studio generate t2v --help`."),
        (Advice.to(Do.NAME_MODE), "Set its `mode`, such as t2v, or add --mode."),
        (Advice.to(Do.CHOOSE_OUT), "Choose another path for --out."),
        (Advice.to(Do.SET_UP_COMFYUI), "Run `ltx-studio setup` (or `./setup.sh`) to install it."),
        (Advice.to(Do.SET_UP_NODES), "Run `ltx-studio setup` to create it."),
        (Advice.to(Do.SET_UP_POCKET), "Run `ltx-studio setup` to create it."),
        (Advice.to(Do.RESTORE_POCKET), "Run `ltx-studio setup` to restore it."),
        (
            FETCH,
            "Run `ltx-studio models get loras/a.safetensors 'loras/b c.safetensors'`. "
            "Or use the pocket preview: `--model-set pocket`.",
        ),
        (
            Advice(Do.FETCH_MODE, (("mode", "t2v"), ("model_set", "fp8")), Do.USE_POCKET),
            "Run `ltx-studio models get --mode t2v --model-set fp8`. Or use the pocket preview: `--model-set pocket`.",
        ),
        (
            Advice(Do.PLACE_MODEL, (("file", "a.safetensors"), ("place", "/m/loras")), Do.USE_POCKET_FILES),
            "Put a.safetensors into /m/loras, or add its repository to models.toml. "
            "Or use the pocket preview's files: `--map-models pocket`, "
            "or on the page “Use the pocket preview's files instead”.",
        ),
        (Advice.to(Do.LIST_MODELS), "Run `ltx-studio models list` to see the files."),
        (Advice.to(Do.MOVE_ASIDE), "Delete it, or run `ltx-studio models verify --repair` to move it aside."),
        (
            Advice.to(Do.FREE_SPACE),
            "Free some space and try again: the download resumes. `ltx-studio models clean` deletes partial downloads.",
        ),
        (
            Advice.to(Do.VERIFY_MODELS),
            "Run `ltx-studio models verify --hash` to check the studio's files; replace the file if it is your own.",
        ),
        (
            Advice.to(Do.REPAIR_MODEL, file="b c.safetensors"),
            "If the studio downloaded it, run `ltx-studio models verify 'b c.safetensors' --hash --repair`; "
            "otherwise replace it with an intact copy.",
        ),
        (Advice.to(Do.RETRY_JOB), "Retry it with `ltx-studio jobs retry`."),
        (Advice.to(Do.RETRY_SMALLER), "Retry it with `ltx-studio jobs retry`, or make it smaller."),
        (Advice.to(Do.LIST_JOBS), "Run `ltx-studio jobs list` to see the jobs."),
        (Advice.to(Do.LIST_TAKES), "Run `ltx-studio takes list` to see your clips."),
        (
            Advice.to(Do.GIVE_INPUT, name="image", sha256="0a1b2c"),
            "Add it with `--file image=PATH`. Its SHA-256 is 0a1b2c.",
        ),
        (Advice.to(Do.GIVE_RIGHT_INPUT, name="loras.0"), "Add the right file with `--file loras.0=PATH`."),
        (
            Advice.to(Do.REPAIR_DATABASE),
            "Run `ltx-studio doctor --repair`: it moves the file aside, recovers what it can, and finds your clips.",
        ),
        (
            Advice.to(Do.FORGET_MISSING, count="3"),
            "To remove them for good, run `ltx-studio doctor --forget-missing 3`.",
        ),
    ],
    ids=lambda each: each.do if isinstance(each, Advice) else "",
)
def test_the_sentence_is_what_it_was(advice: Advice, sentence: str) -> None:
    files = ["loras/a.safetensors", "loras/b c.safetensors"]
    error = StudioError("It is not right.", "A plain hint.", advice=advice, files=files)

    assert hint_of(error) == sentence
    assert as_dict(error) == {"error": "error", "message": "It is not right.", "hint": sentence}


def test_a_note_says_which_option_changes_it() -> None:
    notes = [Note("Save: codec is not set.", Advice.to(Do.CHANGE_VALUE, key="2.codec")), Note("It is wide.")]

    assert notes_in_words(notes) == ["Save: codec is not set (change it with `--set 2.codec=…`).", "It is wide."]


def test_errors_of_lower_packages_come_with_their_command(tmp_path: Path) -> None:
    calls: dict[str, Callable[[], object]] = {
        "file": lambda: REGISTRY.get_file("unheard-of"),
        "image": lambda: MODES["i2v"].parse({"prompt": "x"}, REGISTRY.get_set("pocket")),
        "job": lambda: Queue(Database(tmp_path / "studio.db")).get("0a1b2c", LOCAL),
    }
    raised = {}
    for name, call in calls.items():
        with pytest.raises(StudioError) as error:
            call()
        raised[name] = hint_of(error.value)

    assert raised == {
        "file": "Run `ltx-studio models list` to see the files.",
        "image": "Add --image. See `ltx-studio generate i2v --help`.",
        "job": "Run `ltx-studio jobs list` to see the jobs.",
    }
