"""Hints for errors and notes in the terms of the command line: commands and options."""

import shlex
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

from ltx_studio.advice import Do, Note
from ltx_studio.errors import StudioError

WORDS: Mapping[Do, str] = {
    Do.TRUST: "If you trust its author, add `--trust`, or tick “I trust this workflow” on the page.",
    Do.SET_VALUE: "Set it to {wanted}: in its field, or with `--set {given!q}`.",
    Do.CHANGE_VALUE: "(change it with `--set {key}=…`).",
    Do.GIVE_WORKFLOW_FILE: "Fill in its field, or set it with `--set {key}=PATH`.",
    Do.NAME_MODEL: "Choose a file in one of ComfyUI's model folders: `--set {given!q}`.",
    Do.GIVE_FILE: "Add --{field!o}. See `ltx-studio generate {mode} --help`.",
    Do.SEE_MODE: "See `ltx-studio generate {mode} --help`.",
    Do.NAME_MODE: "Set its `mode`, such as t2v, or add --mode.",
    Do.CHOOSE_OUT: "Choose another path for --out.",
    Do.SET_UP: "Run `ltx-studio setup`.",
    Do.SET_UP_COMFYUI: "Run `ltx-studio setup` (or `./setup.sh`) to install it.",
    Do.SET_UP_NODES: "Run `ltx-studio setup` to create it.",
    Do.SET_UP_POCKET: "Run `ltx-studio setup` to create it.",
    Do.RESTORE_POCKET: "Run `ltx-studio setup` to restore it.",
    Do.GET_MODELS: "Run `ltx-studio models get`.",
    Do.FETCH_MODELS: "Run `ltx-studio models get {files!q}`.",
    Do.FETCH_MODE: "Run `ltx-studio models get --mode {mode} --model-set {model_set}`.",
    Do.PLACE_MODEL: "Put {file} into {place}, or add its repository to models.toml.",
    Do.LIST_MODELS: "Run `ltx-studio models list` to see the files.",
    Do.MOVE_ASIDE: "Delete it, or run `ltx-studio models verify --repair` to move it aside.",
    Do.USE_SET: "Run `ltx-studio settings set model_set {model_set}`.",
    Do.FREE_SPACE: (
        "Free some space and try again: the download resumes. `ltx-studio models clean` deletes partial downloads."
    ),
    Do.VERIFY_MODELS: (
        "Run `ltx-studio models verify --hash` to check the studio's files; replace the file if it is your own."
    ),
    Do.REPAIR_MODEL: (
        "If the studio downloaded it, run `ltx-studio models verify {file!q} --hash --repair`; "
        "otherwise replace it with an intact copy."
    ),
    Do.USE_POCKET: "use the pocket preview: `--model-set pocket`",
    Do.USE_POCKET_FILES: (
        "use the pocket preview's files: `--map-models pocket`, or on the page “Use the pocket preview's files instead”"
    ),
    Do.RETRY_JOB: "Retry it with `ltx-studio jobs retry`.",
    Do.RETRY_SMALLER: "Retry it with `ltx-studio jobs retry`, or make it smaller.",
    Do.LIST_DOWNLOADS: "Run `ltx-studio models downloads` to see the downloads.",
    Do.LIST_JOBS: "Run `ltx-studio jobs list` to see the jobs.",
    Do.LIST_TAKES: "Run `ltx-studio takes list` to see your clips.",
    Do.GIVE_INPUT: "Add it with `--file {name}=PATH`. Its SHA-256 is {sha256}.",
    Do.GIVE_RIGHT_INPUT: "Add the right file with `--file {name}=PATH`.",
    Do.REPAIR_DATABASE: (
        "Run `ltx-studio doctor --repair`: it moves the file aside, recovers what it can, and finds your clips."
    ),
    Do.KEEP_CLIP: (
        "It is at {where}. Free some space, then run `ltx-studio doctor --repair` to add it to the history."
    ),
    Do.FORGET_MISSING: "To remove them for good, run `ltx-studio doctor --forget-missing {count}`.",
    Do.BRING_BACK_FILES: (
        "Check that the disk of {folder} is mounted: the clips reappear with their files. "
        "To remove them for good, run `ltx-studio doctor --forget-missing {count}`."
    ),
    Do.PRUNE_TAKES: "Delete clips, or run `ltx-studio takes prune`, which keeps favourites.",
    Do.REPAIR_HISTORY: "Run `ltx-studio doctor --repair`.",
}
"""`{…!q}` is quoted for the shell, `{…!o}` is the option of a parameter."""


class _Shell(Formatter):
    """Fills in values with the quoting of a shell."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        match conversion:
            case "q":
                return shlex.quote(value) if isinstance(value, str) else shlex.join(value)
            case "o":
                return value.replace("_", "-")
        return super().convert_field(value, conversion)


_SHELL = _Shell()


def hint_of(error: StudioError) -> str:
    """Return the remedy for an error."""
    return error.hint_in(WORDS, _SHELL)


def as_dict(error: StudioError) -> dict[str, str]:
    """Return an error for scripts."""
    return {**error.as_dict(), "hint": hint_of(error)}


def notes_in_words(notes: Sequence[Note]) -> list[str]:
    """Return each note as a sentence, with its advice."""
    advised = [(note.text, note.advice.worded(WORDS, formatter=_SHELL) if note.advice else "") for note in notes]
    return [f"{text.removesuffix('.')} {advice}" if advice else text for text, advice in advised]
