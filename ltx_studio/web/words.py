"""The page's texts, except those of single panels (`panels/texts.py`), of parameters (their declarations), and those
that the terminal shows too (`phrases`).

A constant read as `words.NAME` is in the language of the page (`ltx_studio.text.catalogue`). `ONE_…` and `MANY_…` are
one message that counts.
"""

from collections.abc import Mapping

from ltx_studio.text.catalogue import ENGLISH, counted, language, translate_constants, translated

TITLE = "LTX 2.3 Studio"
API = "API"
API_HELP = (
    "Programs can use the studio at this page's address: in Python, "
    "`gradio_client.Client(ADDRESS).view_api()` lists the endpoints."
)
RANDOM_SEED = "New seed for every clip"
GENERATE = "Generate"
STOP = "Stop"
RESULT = "Clip"
IDLE = "Ready"
EMPTY = "Describe your clip, then press Generate or Ctrl+Enter."
EMPTY_FILES = "Add a {files}, describe what you want, then press Generate or Ctrl+Enter."
EXAMPLES_OF = "Examples: {mode}"
STOPPING = "Stopping"
STOPPED = "Stopped. Nothing was saved."
DONE = "Done in {seconds:.1f} s"
MADE = "Made in {seconds:.1f} s"
FAILED = "No clip was made"
BEGINS = "Starting"
GOES_ON = "Making"
WAITS = "Waiting to make"
SHOW_RUN = "Show progress"
IS_READY = "Your new clip is ready:"
ARE_READY = "{count} new clips are ready."
SHOW_READY = "Show new clip"
DETAILS = "Details"
CARRIES_WORKFLOW = "The file contains its ComfyUI workflow. Drop it into ComfyUI to open it."
TITLE_WAITS = "Waiting"
TITLE_DONE = "✓ Done"
OWN_NAMED = "Workflow {name}"
TAKES = "Clips"
OWN_WORKFLOW = "Your own workflow"
NOT_TRUSTED = "Nodes that read or write files or run code aren't allowed while others can open the page."
NOT_TRUSTED_HINT = "Remove them."
MAP_POCKET = "Use the pocket preview's files instead"
BATCH = "Batch"
ONE_CLIP = "1 clip"
MANY_CLIPS = "{count} clips"


def clips(count: int) -> str:
    """Return a number of clips as text."""
    return counted(ONE_CLIP, MANY_CLIPS, count)


def within(title: str) -> str:
    """Return a field's title for within a sentence, where English has it in lower case."""
    return title.lower() if language() == ENGLISH else translated(title)


ELAPSED = "{elapsed:.0f} s"
AHEAD = "Waiting: {count} ahead"
NEXT = "Waiting: next in line"
WAITS_FOR_WORKER = "Waiting for a worker to join the cluster"
WAITS_PAUSED = "Paused: nothing new starts until you press Resume under Queue"
STEP = "step {step} of {total}"
MODELS = "Models"
USE_SET = "Use this set"
RELOAD_PAGE = "Reload page"
NOT_DOWNLOADED = "{label} isn't downloaded yet ({size})."
OPEN_MODELS = "Open Models"
LOST_SERVER = "The connection to the studio is lost. The page reloads when it is back, and your queue is kept."
SET_SWITCHED = "The studio now uses another model set, {label}."
SET_SWITCHED_HINT = "Reload the page. Your prompts and settings stay; choose your files again."
WHAT_TO_DO = "What to do"
TECHNICAL = "Technical details"
ADDRESS = "The page is at {url} (Ctrl+C stops the studio)"
MODE = "Mode"
PROMPT_TOOLS: Mapping[str, str] = {
    "examples": "Examples", "recent": "Recent prompts", "none": "Prompts you have used appear here.",
    "replaced": "Prompt replaced.", "changed": "Settings changed.", "undo": "Undo", "real": "for the real model",
}  # fmt: skip
DICE = "Random seed"
RAIL = "Library"
TABS = {"make": "Make", "watch": "Watch", "library": "Library"}
TABS_NAME = "Tabs"
WATCH_GOING = "Watch: a clip is being made"
WATCH_DONE = "Watch: a new clip"
CLOSE_PANEL = "Close this panel"
WORKFLOW_PANEL = "Workflow"
SKIP_TO_LIBRARY = "Skip to the library"
MODEL_CHIP = "Model: {label}"
ABOUT_CARD = "Make short videos with sound from text, pictures, sounds or clips, with LTX-2.3 on your own computer."
HELP = "Help"
SHORTCUTS = "Keyboard shortcuts"
SHORTCUT_ROWS = {
    "Ctrl Enter": "Generate",
    "Esc": "Close what is open, or go to Stop; again: stop the clip",
    "← →": "Choose a mode, preset or clip",
    "Enter": "Open the selected clip",
    "F": "Add the selected clip to your favourites",
    "M": "Mark the selected clip for comparison",
    "T": "Tag the selected clip",
    "Space": "Play or pause",
    "?": "Show this help",
}
ABOUT = "About"
ABOUT_TEXT = "LTX 2.3 Studio {version} runs on this computer. It sends nothing to anyone: no account, no telemetry."
ABOUT_LINKS = {
    "https://huggingface.co/Lightricks/LTX-2.3": "LTX-2.3, the model, by Lightricks",
    "https://github.com/comfyanonymous/ComfyUI": "ComfyUI, which runs it",
    "https://www.gradio.app": "Gradio, which this page is built with",
}
ABOUT_DOCS = "Documentation: the README and the docs folder of the studio's repository; `ltx-studio --help`."
LICENSES = "Licences"
LICENSE_ROWS = (
    "LTX 2.3 Studio: MIT. ComfyUI: GPL-3.0. Gradio: Apache 2.0.",
    "LTX-2.3 models: LTX-2 Community License. Text encoder: Gemma Terms of Use. Read them before you sell your clips.",
    "Each model's licence is listed under Models, and by `ltx-studio models list`.",
)
SHAPE = "Shape"
SHAPE_OF_FILE: Mapping[str, str] = {"picture": "Same as my picture", "clip": "Same as my clip"}
SHAPE_OWN = "Custom"
SIZE = "Size"
SIZES: Mapping[str, str] = {"small": "Small", "normal": "Normal", "large": "Large"}
AS_LONG: Mapping[str, str] = {"sound": "Same length as my sound", "clip": "Same length as my clip"}
PRESET = "Preset"
MORE_SETTINGS = "Advanced"
LORAS: Mapping[str, str] = {
    "title": "LoRAs", "add": "Add LoRA", "search": "Search LoRAs", "upload": "Upload a file…",
    "empty": "No LoRAs yet. Upload a .safetensors file, or put one into models/loras.", "remove": "Remove",
    "nothing": "No LoRAs match your search.", "unfit": "not for this model", "strength": "Strength",
    "trigger": "Add this trigger word to the prompt", "again": "Remove it, or add it again.",
}  # fmt: skip
LORA_GONE = "The LoRA {name!r} is no longer available."
OPTIONAL = "{name} (optional)"
ONLY_WITH = "{name} ({presets} only)"
OR = " or "
OF_PRESET = "Preset default"
TUNED_ONLY_WITH = "Steps, guidance, STG and schedule work only in {presets}."
USE_LENGTH = "Use {seconds:g} s"
USE_SIZE = "Use {width}×{height}"
SEED_ONCE = "The next clip uses seed {seed} again; after that, every clip gets a new seed."
NOT_YOURS = "A file belongs to someone else, or was uploaded before the studio restarted."
NOT_YOURS_HINT = "Choose it again."
NOT_UNDERSTOOD = "The server does not understand this request."
UNANSWERED = "Something unexpected went wrong. Try again. If it happens again, report it with the studio's log."
NO_SPACE = "The disk is full: nothing can be saved. Free up space on the studio's disk, then try again."
HALF_A_CHARACTER = "The text contains an invalid character (a lone surrogate)."
HALF_A_CHARACTER_HINT = "Send the text as valid Unicode."
TOO_LARGE_A_NUMBER = "A number is too large."
NO_FINITE_NUMBER = "A number is infinite or NaN."
TOO_LARGE_A_NUMBER_HINT = "Send a number within 64 bits."
DROP_ONE = "Drop it on its field in the form, or click the field to choose a file."
NEEDS = "Add a {files}."
AND_A = " and a "
LEFT = "{left} left"
AFTERWARDS = "{count} more after this one"
OTHERS_CONTINUE = "Stopped. Your other clips continue."
PROGRESS = "Progress"
FORMING = "Live preview"
TIME_HERE = "{time} on this computer"
CLIPS = "{count} clips"
COST = "about {seconds} s of GPU time; {account} gets {minutes} min a day"
COST_COUNTED = "about {seconds} s of GPU time, counted as {counted} s; {account} gets {minutes} min a day"
ACCOUNTS: Mapping[str, str] = {"": "a free account", "free": "your free account", "pro": "your PRO account"}
"""By `Cost.account`."""
COSTS_TOO_MUCH = "This clip needs about {seconds} s of GPU time; with {account}, a run may take at most {most} s."
MAKE_IT_SMALLER = "Make it shorter or smaller."
MAKE_IT_SHORTER = "Clips of up to {seconds:g} s fit at this size."
SIZE_NEEDS = "{size} needs about {seconds} s"
SIZES_NEED_TOO_MUCH = "{sizes} of GPU time; with {account}, a run may take at most {most} s."
SEED = "seed {seed}"
LENGTH = "{seconds:.2f} s, {frames:g} frames"
MADE_IN = "made in {time}"
ACTIONS: Mapping[str, str] = {
    "again": "Make another",
    "quality": "Make it in Quality",
    "reuse": "Edit and remake",
    "go_on": "Continue",
}
"""The labels of the buttons below a take, by the button's name."""
ACTIONS_SHORT: Mapping[str, str] = {"quality": "Quality", "reuse": "Edit", "go_on": "Continue"}
"""Their labels where there is little room, below a sign."""
ACTIONS_OF_TAKE = "What to do with this clip"
SEND_TO = "Use in {mode}"
KEEP_AS_FAVOURITE = "Favourite"
MORE_ACTIONS = "More actions"
DOWNLOAD = "Download"
REVEAL = "Show in folder"
LIES_AT = "Saved to {path}"
OPENED = "Opened {path}"
DELETE = "Delete"
DELETED_ONE = "Deleted."
UNDO = "Undo"
CONTINUES = "The next clip starts with this clip's last frame. Describe what happens next; motion and sound start over."
SEED_KEPT = "The next clip uses the same seed, {seed}. For another one, choose a new seed."
FILE_GONE = "This clip's file is missing."
FILE_GONE_HINT = "Put the file back to open the clip again. Run `ltx-studio doctor` for details."
NOT_RESTORED = "Not everything could be restored: {lost}."
LOST_FILE = "{name} is no longer available"
LOST_THRESHOLD = "the edge threshold {value:g}, because the page always adapts it to the clip"
LOST_PRESET = "{preset} is not available with this model set, so {other} is chosen"
LOST_SET = "the clip was made with the model set {id}; the one in use is {other}"
OWN_HAS_NO_FORM = "This clip was made with your own workflow, so no mode can restore its settings."
OWN_DROP_IT = "Drop its file under Workflow."


def in_seconds(seconds: float) -> str:
    """Return a duration as rounded text, like ``about 5 min``."""
    return translated("about {time}").format(time=rounded(seconds))


def rounded(seconds: float) -> str:
    """Return a duration as `in_seconds` does, without saying that it is rounded: ``5 min``."""
    if seconds < 100:
        count = max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5
        return translated("{count} s").format(count=count)
    if seconds < 6000:
        return translated("{count} min").format(count=round(seconds / 60))
    return translated("{count:.1f} h").format(count=seconds / 3600)


CHECK_SIZES = "Check sizes"
CHECK_CONTENTS = "Check contents"
REPAIR = "Repair"
NOT_FETCHED = "Without a password, you cannot download models from another computer."
NOT_FETCHED_HINT = "On the computer that runs the studio: `ltx-studio models get`."
A_FOLDER = "…"
STARTING = "starting"
SETTINGS = "Settings"
QUEUE = "Queue"
QUEUE_COUNTED = "Queue: {counts}"
QUEUE_EMPTY = (
    "The queue is empty. Press Generate while a clip is being made, ask for several clips, or add a batch: they wait "
    "here and run one after another, even if you close this page."
)
COUNT_RUNNING = "{count} running"
COUNT_WAITING = "{count} waiting"
COUNT_FAILED = "{count} failed"
COUNT_PAUSED = "paused"
QUEUE_CANNOT = "{act!r} is not a queue action."
RELOAD = "Reload the page."
NOTHING_WAITS = "Nothing waiting"
PAUSED = "Paused: no new clip starts"
PAUSE = "Pause"
RESUME = "Resume"
CANCEL = "Cancel"
CANCEL_REST = "Cancel the rest"
MOVE_UP = "Move up"
MOVE_FIRST = "Move to top"
RETRY = "Retry"
SHOW = "Show"
ON_BUTTON = "{button}: {name}"
FIRST_IN_LINE = "Next"
IN_LINE = "{place} in line"
WAS_STOPPED = "Stopped"
VERIFYING = "Checking a clip"
SEEDED = "{mode}, seed {seed}"
PART_DONE = "{done} of {jobs} done"
BATCH_OF = "Batch of {jobs}: {name}"
MORE_WAIT = "and {count} more waiting"
HOW_FAR = "Progress: {name}"
REMEDY_FETCH = "Download the files"
REMEDY_SMALLER = "Halve the size and try again"
REMEDY_UNLOAD = "Unload all models"
REMEDY_RETRY = "Try again"
UNLOADED_TRY = "All models are unloaded now. Try again."
HISTORY = "History"
SEARCH = "Search prompts and tags"
SEARCH_PLACEHOLDER = "red ball"
FILTER_MODE = "Mode"
ALL_MODES = "All modes"
ONLY_FAVOURITES = "Favourites only"
TAKES_OF_YOURS = "Clips, newest first"
TAKE = "{mode}, seed {seed}, {seconds:.1f} s, {prompt}"
TAKE_STILL = "{mode}, seed {seed}, {prompt}"
NO_SEED = "none"
NO_PROMPT = "no prompt"
SECONDS = "{seconds:.1f} s"
SOUND_TILE = "Sound"
FILE_MISSING = "File missing"
NO_POSTER = "No preview"
FAVOURITE = "Favourite: {take}"
TAG = "Tags: {take}"
TAGS = "Tags"
ADD_TAG = "Add tag"
REMOVE_TAG = "Remove tag {tag}"
TAGS_DONE = "Done"
TODAY = "Today"
YESTERDAY = "Yesterday"
SHEET = "Clips of one batch"
SHEET_OF = "{count} clips"
KEEP_ONE = "Keep"
KEEP_TAKE = "Keep as a favourite: {take}"
DELETE_OTHER = "Delete the other one"
DELETE_OTHERS = "Delete the other {count}"
MARK = "Mark for comparison: {take}"
MORE = "More"
SHOWN = "Clips shown: {count}"
MARK_TWO = "Mark two clips to compare them."
MARKED = "{count} of 2 marked"
COMPARE = "Compare"
UNMARK = "Clear marks"
NOTHING_MADE = "No clips yet."
NOTHING_MADE_HINT = (
    "Write a prompt and press Generate. Every clip is kept here with its settings, "
    "so you can open it again, compare two, or change one thing and make another."
)
NOTHING_FITS = "No clips match your search."
NOTHING_FITS_HINT = "Try fewer words, or search all modes."
SHOW_ALL = "Show all"
MAKE_ROOM = "Free up space"
ROOM = "Clips: {takes}. Favourites: {favourites}. Disk space: {size}."
ROOM_MISSING = "Clips whose file is missing: {takes}. They stay in the list."
ROOM_HELP = "Favourites are never deleted."
KEEP_NEWEST = "Newest clips to keep, besides favourites"
KEEP_GB = "Keep at most, in GB"
LOOK_AT_ROOM = "Preview"
NO_NUMBER = "{text!r} isn't a number."
NO_NUMBER_HINT = "Enter a number such as 20 or 1.5, or leave it empty."
SAY_HOW_MANY = "Enter how many clips to keep, or how many GB."
NONE_GOES = "Nothing to delete."
TAKES_WOULD_GO = "Oldest clips to delete permanently: {takes} ({size})."
DELETE_THEM = "Delete {takes}"
KEEP_THEM = "Keep them"
DELETED = "Deleted: {takes}."
CLOSE = "Close"
PLAY = "Play"
OTHERS = "For others on your network: {urls}"
NO_ADDRESS = "For others on your network: port {port} of this machine"
WARNING = "Warning: {warning}"
MADE_PASSWORD = "Password: {password} (for this run; set your own in LTX_STUDIO_PASSWORD)"
SET_PASSWORD = "The page asks for the password in LTX_STUDIO_PASSWORD."
PASSWORD = "Password"
PASSWORD_HELP = "Ask the person who started the studio."
WRONG_PASSWORD = "Wrong password. Try again."
MANY_VALUES = "The request has more than {most}."
LARGE_REQUEST = "The request is larger than {most}."
SLOW_REQUEST = "The request did not arrive in time. Send it again."
NO_HOST = "The request's Host or Origin header is missing, malformed or repeated."
OTHER_HOST = "The studio does not answer to the host name {host}. If it is yours, add it to LTX_STUDIO_ALLOWED_HOSTS."
OTHER_SITE = (
    "The studio refuses requests from other sites. Open its page directly; behind a proxy, add the proxy's host name "
    "to LTX_STUDIO_ALLOWED_HOSTS."
)
TOO_MANY_GUESSES = "Too many wrong passwords. Wait a moment, then try again."
OPEN_PAGE = "Open"
CONTROL_MAP = "Control preview"
PREVIEW_CONTROL = "Preview control"
CONTROL_BUSY = "The preview has to wait until the current clip is done."
CONTROL_BUSY_HINT = "Try again then, or choose the control Canny."

translate_constants(__name__)
