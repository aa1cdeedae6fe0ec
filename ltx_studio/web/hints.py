"""Hints about errors, in terms of the page's fields and buttons; a command where the page has neither."""

from collections.abc import Mapping

from ltx_studio.advice import Do
from ltx_studio.errors import StudioError
from ltx_studio.web import words

WORDS: Mapping[Do, str] = {
    Do.TRUST: "Only if you trust its author, tick “I know where it comes from”.",
    Do.SET_VALUE: "Give it {wanted} in its field.",
    Do.GIVE_WORKFLOW_FILE: "Choose it in its field.",
    Do.GIVE_FILE: words.DROP_ONE,
    Do.SET_UP_COMFYUI: "Run `ltx-studio setup` (or `./setup.sh`) to install it.",
    Do.SET_UP_NODES: "Run `ltx-studio setup`, which writes it.",
    Do.SET_UP_POCKET: "Build it: `ltx-studio setup`.",
    Do.RESTORE_POCKET: "Run `ltx-studio setup` to restore it.",
    Do.FETCH_MODELS: f"Get them under {words.MODELS}.",
    Do.FETCH_MODE: f"Get them under {words.MODELS}: choose the set, then “{words.GET}”.",
    Do.PLACE_MODEL: "Put {file} into {place}, or name its repository in models.toml.",
    Do.LIST_MODELS: f"{words.MODELS} shows the files.",
    Do.MOVE_ASIDE: (
        f"Delete it, or press {words.CHECK_SIZES}, then {words.REPAIR}, under {words.MODELS}, which moves it aside."
    ),
    Do.VERIFY_MODELS: f"Press {words.CHECK_CONTENTS} under {words.MODELS}; replace the file if it is your own.",
    Do.REPAIR_MODEL: (
        f"If the studio downloaded it, press {words.CHECK_CONTENTS}, then {words.REPAIR}, under {words.MODELS}; "
        "otherwise replace it with an intact copy."
    ),
    Do.USE_POCKET: "start the studio with the pocket preview: `ltx-studio serve --model-set pocket`",
    Do.USE_POCKET_FILES: f"tick “{words.MAP_POCKET}”",
    Do.RETRY_JOB: f"Press {words.RETRY} under {words.QUEUE}.",
    Do.RETRY_SMALLER: f"Press {words.RETRY} under {words.QUEUE}, or make it smaller.",
    Do.LIST_DOWNLOADS: f"Look at the download under {words.MODELS}.",
    Do.LIST_JOBS: f"Choose one under {words.QUEUE}.",
    Do.LIST_TAKES: f"Choose one under {words.HISTORY}.",
    Do.REPAIR_DATABASE: (
        "Run `ltx-studio doctor --repair`: it moves the file aside, keeps what it can read, and finds your clips."
    ),
    Do.KEEP_CLIP: (
        "It is at {where}. Free some space, then run `ltx-studio doctor --repair` to add it to the history."
    ),
}


def hint_of(error: StudioError) -> str:
    """Return what to do about an error."""
    return error.hint_in(WORDS)
