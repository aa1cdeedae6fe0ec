"""Hints about errors, in terms of the page's fields and buttons; a command where the page has neither."""

from collections.abc import Mapping

from ltx_studio.advice import OTHERWISE, Do
from ltx_studio.errors import StudioError
from ltx_studio.text.catalogue import in_language, translated
from ltx_studio.web import words

WORDS: Mapping[Do, str] = {
    Do.TRUST: "If you trust its author, tick “I trust this workflow”.",
    Do.SET_VALUE: "Set it to {wanted} in its field.",
    Do.GIVE_WORKFLOW_FILE: "Choose it in its field.",
    Do.GIVE_FILE: words.DROP_ONE,
    Do.SET_UP_COMFYUI: "Run `ltx-studio setup` (or `./setup.sh`) to install it.",
    Do.SET_UP_NODES: "Run `ltx-studio setup` to create it.",
    Do.SET_UP_POCKET: "Run `ltx-studio setup` to create it.",
    Do.RESTORE_POCKET: "Run `ltx-studio setup` to restore it.",
    Do.FETCH_MODELS: f"Download them under {words.MODELS}.",
    Do.FETCH_MODE: f"Download them under {words.MODELS}: choose the set, then press Download.",
    Do.PLACE_MODEL: "Put {file} into {place}, or add its repository to models.toml.",
    Do.LIST_MODELS: f"The files are listed under {words.MODELS}.",
    Do.MOVE_ASIDE: (
        f"Delete it, or press {words.CHECK_SIZES}, then {words.REPAIR}, under {words.MODELS} to move it aside."
    ),
    Do.VERIFY_MODELS: f"Press {words.CHECK_CONTENTS} under {words.MODELS}. Replace the file if it is your own.",
    Do.REPAIR_MODEL: (
        f"If the studio downloaded it, press {words.CHECK_CONTENTS}, then {words.REPAIR}, under {words.MODELS}; "
        "otherwise replace it with an intact copy."
    ),
    Do.USE_SET: f"Choose it under {words.MODELS}, then press “{words.USE_SET}”.",
    Do.USE_POCKET: f"choose the pocket preview under {words.MODELS}, then press “{words.USE_SET}”",
    Do.USE_POCKET_FILES: f"tick “{words.MAP_POCKET}”",
    Do.RETRY_JOB: f"Press {words.RETRY} under {words.QUEUE}.",
    Do.RETRY_SMALLER: f"Press {words.RETRY} under {words.QUEUE}, or make it smaller.",
    Do.LIST_DOWNLOADS: f"Downloads are listed under {words.MODELS}.",
    Do.LIST_JOBS: f"Choose one under {words.QUEUE}.",
    Do.LIST_TAKES: f"Choose one under {words.HISTORY}.",
    Do.REPAIR_DATABASE: (
        "Run `ltx-studio doctor --repair`: it moves the file aside, recovers what it can, and finds your clips."
    ),
    Do.KEEP_CLIP: (
        "It is at {where}. Free some space, then run `ltx-studio doctor --repair` to add it to the history."
    ),
}


def message_of(error: StudioError) -> str:
    """Return what happened, in the language of the page."""
    return translated(error.message)


def hint_of(error: StudioError) -> str:
    """Return what to do about an error, in the language of the page."""
    advised = error.hint_in(in_language(WORDS), otherwise=translated(OTHERWISE))
    return translated(error.hint) if advised == error.hint else advised
