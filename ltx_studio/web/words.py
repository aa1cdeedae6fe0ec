"""The page's texts. Those of parameters are in their declarations, those shared with the terminal in `phrases`."""

from collections.abc import Mapping

from ltx_studio.text.phrases import KEPT

TITLE = "LTX 2.3 Studio"
API = "API"
API_HELP = (
    "Programs submit jobs at this server's address: in Python, "
    "`gradio_client.Client(ADDRESS).view_api()` lists the endpoints."
)
RANDOM_SEED = "New seed for every clip"
GENERATE = "Generate"
STOP = "Stop"
RESULT = "Clip"
IDLE = "Ready"
EMPTY = "Describe your clip, then press Generate or Ctrl+Enter."
EMPTY_FILES = "Add a {files}, describe the clip, then press Generate or Ctrl+Enter."
EXAMPLES_OF = "Examples: {mode}"
STOPPING = "Stopping"
STOPPED = "Stopped. Nothing was kept."
DONE = "Done in {seconds:.1f} s"
MADE = "Made in {seconds:.1f} s"
FAILED = "No clip was made"
BEGINS = "Starting"
GOES_ON = "Making"
WAITS = "Waiting to make"
SHOW_RUN = "Show the run"
IS_READY = "Your new clip is ready:"
DETAILS = "Details"
TITLE_WAITS = "Waiting"
TITLE_DONE = "✓ Done"
TAKES = "Clips"
OWN_WORKFLOW = "Your own workflow"
OWN_NAMED = "Workflow {name}"
WORKFLOW_FILE = "Workflow (.json), or a file that contains one"
WORKFLOW_MISSING = "Model files missing: {count}"
WORKFLOW_MISSING_NAMES = "Which ones"
WORKFLOW_HELP = (
    "Drop a ComfyUI workflow in the editor's or in API format, or a picture, sound or video that contains one. Its "
    "inputs become a form, and results appear on the screen."
)
SHOW_FORM = "Show its form"
CLOSE_FORM = "Close"
MORE_INPUTS = "More inputs ({count})"
OWN_PROMPT = "Prompt"
OWN_NEGATIVE = "Negative prompt"
OWN_SEED = "Seed"
FIELDS = "{count} inputs. Results appear on the screen."
FIELDS_SHOWN = "The form shows the first {count}; the others keep the workflow's values."
FIELDS_UNFIT = "These fields are empty because the workflow's values don't fit: {names}."
PROBLEMS = "It can't run yet: {problems}"
AND_MORE = " and {count} more"
NOT_TRUSTED = "Nodes that read or write files or run code aren't allowed while others can open the page."
NOT_TRUSTED_HINT = "Remove them."
MAP_POCKET = "Use the pocket preview's files instead"
TRUST = "I trust this workflow: allow nodes that read or write files or run code"
RUN = "Run"
BATCH = "Batch"
BATCH_LINES = "Prompts, one per line"
BATCH_PLACEHOLDER = "A red ball bounces on a lawn\nA blue cube turns in the rain"
BATCH_FILE = "Or a file (.txt, .csv, .tsv, .jsonl)"
BATCH_PRESET = "Preset, where a line names none"
BATCH_HELP = (
    "Each line becomes a clip. For other settings, use a table with column titles such as prompt, seconds, seed, mode; "
    "files need full paths."
)
BATCH_UNTITLED = "The file has no column titles, so each line is a prompt."
BATCH_LINE = "Line {line}:"
BATCH_MORE = "and {count} more"
BATCH_WRONG = "Lines to fix: {count}."
BATCH_WRONG_HINT = "Nothing was added. Fix these lines first."
ADD_TO_QUEUE = "Add to queue"
ADD_COUNT = "Add {clips} to queue"
ADDED = "{clips} added to the queue."
ADDED_HINT = "They run one after another, even if you close this page."
NOTE_OF_REQUEST = "Clip {number}: {note}"
ONE_CLIP = "1 clip"
MANY_CLIPS = "{count} clips"


def ordinal(place: int) -> str:
    """Return a place as text, like ``2nd``."""
    last = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{last}"


def clips(count: int) -> str:
    """Return a number of clips as text."""
    return ONE_CLIP if count == 1 else MANY_CLIPS.format(count=count)


ELAPSED = "{elapsed:.0f} s"
AHEAD = "Waiting: {count} before this one"
NEXT = "Waiting: this one comes next"
WAITS_PAUSED = "Paused: nothing new begins until you press Resume under Queue"
STEP = "step {step} of {total}"
MODELS = "Models"
MODEL_SET = "Model set"
GET = "Download missing files"
FETCHED = "All files are here."
FETCH_CLOSE = "You can close this page: the download continues."
STOP_DOWNLOAD = "Stop download"
REPAIR_OF = "Repair of {count} files"
FILES_OF_JOB = "Files for a request"
FETCH_STOPPED = f"Stopped. {KEPT}"
IN_ALL = "in all"
OF = "{done} of {size}"
HERE = "here"
MISSING = "missing"
BUILT = "created by set-up"
NO_SOURCE = "put it there yourself"
GATED = "requires your consent and a token"
TO_FETCH = "To download: {missing} of {total}. Free on that disk: {free}."
ALL_HERE = "All files are here: {total}."
NO_ROOM = "It does not fit: it needs {short} more."
IN_USE = "This set is in use."
USE_IT = "To use it: `ltx-studio serve --model-set {id}`."
WHAT_TO_DO = "What to do"
TECHNICAL = "Technical details"
ADDRESS = "The page is at {url} (Ctrl+C ends it)"
MODE = "Mode"
PROMPT_TOOLS: Mapping[str, str] = {
    "examples": "Examples", "recent": "Recent prompts", "none": "Prompts that you have used appear here.",
    "replaced": "Prompt replaced.", "undo": "Undo", "real": "for the real model",
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
ABOUT_CARD = "Make short videos with sound from words, pictures, sounds or clips, with LTX-2.3 on your own computer."
HELP = "Help"
SHORTCUTS = "Keyboard shortcuts"
SHORTCUT_ROWS = {
    "Ctrl Enter": "Generate",
    "Esc": "Stop the clip that is being made, or close what is open",
    "← →": "Choose a mode, preset or take",
    "Enter": "Open the chosen take",
    "F": "Add the chosen take to your favorites",
    "M": "Mark the chosen take to compare it with another",
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
ABOUT_DOCS = "Documentation: the README and the `docs` folder of the studio's repository; `ltx-studio --help`."
LICENSES = "Licenses"
LICENSE_ROWS = (
    "LTX 2.3 Studio: MIT. ComfyUI: GPL-3.0. Gradio: Apache 2.0.",
    "LTX-2.3 models: LTX-2 Community License. Text encoder: Gemma Terms of Use. Read them before you sell your clips.",
    "Each model's license is listed under Models, and with `ltx-studio models list`.",
)
SHAPE = "Shape"
SHAPE_OF_FILE: Mapping[str, str] = {"picture": "Like my picture", "clip": "Like my clip"}
SHAPE_OWN = "Own size"
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
LORA_GONE = "The LoRA {name!r} is no longer here."
OPTIONAL = "{name} (optional)"
ONLY_WITH = "{name} ({presets} only)"
OR = " or "
SEED_ONCE = "The next clip uses seed {seed} again; after that, every clip gets a new seed."
NOT_YOURS = "A file belongs to someone else, or was uploaded before the studio restarted."
NOT_YOURS_HINT = "Choose it again."
NOT_UNDERSTOOD = "The server does not understand this request."
UNANSWERED = "The server could not answer. Its log has the traceback."
UNFORESEEN = "Something unexpected went wrong: {kind}."
UNFORESEEN_HINT = "Report it with the traceback from the studio's log."
HALF_A_CHARACTER = "A text contains an invalid character (a lone surrogate)."
HALF_A_CHARACTER_HINT = "Send the text as valid Unicode."
TOO_LARGE_A_NUMBER = "A number is too large."
NO_FINITE_NUMBER = "A number is infinite or NaN."
TOO_LARGE_A_NUMBER_HINT = "Send a number within 64 bits."
DROP_ONE = "Drop it on its field in the form, or click the field to choose a file."
NEEDS = "Add a {files}."
AND_A = " and a "
LEFT = "{left} left"
AFTERWARDS = "{count} more after this one"
PROGRESS = "Progress"
FORMING = "Live preview"
TIME_HERE = "{time} on this computer"
CLIPS = "{count} clips"
COST = "about {seconds} s of GPU time; a free account gets {minutes} min a day"
COST_COUNTED = "about {seconds} s of GPU time, counted as {counted} s; a free account gets {minutes} min a day"
COSTS_TOO_MUCH = "This clip needs more GPU time than a free account gets in a day. Make it shorter or smaller."
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
SEED_KEPT = "The next clip uses the same seed, {seed}. For another one, choose a new seed."
FILE_GONE = "The file of this take is missing."
FILE_GONE_HINT = "The take comes back with its file. Run `ltx-studio doctor` for details."
OPEN_FILE = "Open a file…"
DROP_HERE = "Drop a picture, sound, video, workflow or list of prompts"
DROP_CANCEL = "Cancel"
DROP_WHERE = "Use “{name}” as"
PLACE = "{field} ({mode})"
PLACES: Mapping[str, str] = {
    "i2v:image": "First frame (Image to video)",
    "keyframe:first_image": "First frame (First and last frame)",
    "keyframe:last_image": "Last frame (First and last frame)",
    "lipsync:image": "Face (Lipsync)",
    "lipsync:audio": "Voice (Lipsync)",
    "a2v:audio": "Sound (Audio to video)",
    "style:clip": "Clip to restyle (Style transfer)",
    "first:": "Its first frame (Image to video)",
    "last:": "Its last frame, to continue it (Image to video)",
    "sound:": "Its sound (Audio to video)",
    "workflow": "The workflow in it",
}
"""What a dropped file can be used as."""
PLACED = "“{name}” is used as: {place}."
DROPPED_UNKNOWN = "The studio can't use “{name}”."
DROPPED_UNKNOWN_HINT = "Drop a picture, sound, video, ComfyUI workflow (.json) or list of prompts (.txt, .csv, .jsonl)."
DROPPED_LORA = "“{name}” is a model file."
DROPPED_LORA_HINT = "Add a LoRA in a mode's form."
DROPPED_GONE = "The file is no longer here."
RESTORED = "Settings restored from the video."
NOT_RESTORED = "Not all could be restored: {lost}."
LOST_FILE = "{name} is no longer here"
LOST_THRESHOLD = "the edge threshold {value:g}, because the page always fits one to the clip"
LOST_PRESET = "{preset} cannot be had with this model set, {other} is chosen"
LOST_SET = "it was made with the model set {id}, here is {other}"
OWN_HAS_NO_FORM = "It was made by a workflow of your own, which no mode's form can show."
OWN_DROP_IT = "Drop it under Your own workflow."


def in_seconds(seconds: float) -> str:
    """Return a duration as rounded text, like ``about 5 min``."""
    if seconds < 10:
        return f"about {max(1, round(seconds))} s"
    if seconds < 100:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 6000:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


SET_LABEL = "{label} ({state})"
TO_GET = "{missing} to download"
SET_UP = "created by set-up"
IN_USE_HERE = "{state}, in use"
PARTLY_HERE = "{partial} of it here"
DOES_NOT_COUNT = "a damaged copy does not count"
UNKNOWN_SIZE = "size unknown"
FREE = "Free on that disk: {free}."
EVERYTHING = "With camera LoRAs and control models"
CHECK_SIZES = "Check sizes"
CHECK_CONTENTS = "Check contents"
REPAIR = "Repair"
REMOVE = "Remove …"
REMOVE_NOW = "Remove and free {freed}"
KEEP = "Keep all"
NOTHING_TO_CHECK = "Nothing of this set is here yet."
CHECKING = "Checking: {done} of {count} files done"
READ = "Reading every byte. Large files take minutes."
ALL_GOOD = "All {count} files are intact."
ALL_GOOD_ONE = "The file is intact."
SOME_BAD = "Wrong: {bad} of {count} files. Repair downloads them again."
CHECKED_BY_CONTENTS = "contents are right"
CHECKED_BY_SIZE = "size is right"
NOT_COMPARED = "size is right; its contents are not known"
REPAIRED = "Repaired. All files are intact."
CHECK_STOPPED = "Stopped. Nothing was changed."
WOULD_GO = "Removing frees {freed}. Nothing is removed yet."
NOTHING_GOES = "Nothing can be removed here."
REMOVED = "Removed. Freed: {freed}."
KEPT_ALL = "Nothing was removed."
GOES = "goes"
GONE = "gone"
STAYS = "stays"
NEEDED_BY = "the set {id} needs it too"
LOSES_SET = "This set is in use: the next clip needs it again."
AT_WORK = "This tab is already working on models."
AT_WORK_HINT = "Stop it first, or wait for its end."
NOT_FETCHED = "Without a password, you cannot download models from another computer."
NOT_FETCHED_HINT = "On the computer that runs the studio: `ltx-studio models get`."
NOT_FOR_ALL = "Models cannot be removed while other computers can open this page."
NOT_FOR_ALL_HINT = "On the computer that runs the studio: `ltx-studio models remove`."
A_FOLDER = "…"
MEMORY = "Memory"
UNLOAD = "Unload all models"
STARTING = "starting"
DID_NOT_START = "did not start"
MEMORY_STARTING = "ComfyUI is starting: no model is loaded yet."
MEMORY_FAILED = "ComfyUI did not start: no model is loaded. Run `ltx-studio doctor` to see why."
BADGE = "{device}: {used} of {total} GB"
BADGE_MORE = "in use"
LEVELS = {"low": "plenty free", "ok": "enough free", "tight": "nearly full"}
LOADED = "Models in memory: {count} ({size})."
NONE_LOADED = "No model is in memory."
DEVICE = "{device}: {taken} of {total} in use."
UNLOADED = "Unloaded: {count}. In use {where} before: {before}; now: {after}."
NOTHING_LOADED = "There was nothing to unload. In use {where}: {after}."
ON_CPU = "by the studio"
ON_GPU = "on the GPU"
LOADS_AGAIN = "The next clip loads what it needs again, which takes a moment."
TIER = "`{tier}`: {what}"
TIER_NOW = "In use: {policy}."
TIER_HOW = "It is set at start-up. To change it, stop the studio and start it with: `{command}`"
TIERS_ALL = "What can be chosen"
TIERS = {
    "auto": "What fits stays on the GPU.",
    "gpu-only": "Everything stays on the GPU: the fastest, and needs the most memory.",
    "high": "Models stay on the GPU between clips.",
    "low": "Models go to the GPU in parts: slower, needs less memory.",
    "none": "As little as possible is on the GPU: the slowest, needs the least.",
    "cpu": "The GPU is not used.",
}
POLICIES = {
    "disabled": "the processor alone, no GPU",
    "shared": "one memory for processor and GPU",
    "no": "as little GPU memory as possible",
    "low": "little GPU memory",
    "normal": "what fits stays on the GPU",
    "high": "models stay on the GPU",
}
SETTINGS = "Settings"
SETTINGS_MORE = "More, and what may be wrong: `ltx-studio doctor`."
SETTINGS_AFAR = "Folders are shown on the computer that runs the studio only."
SETTING_SET = "Model set"
SETTING_SWITCH = "Another one: `ltx-studio serve --model-set {id}`"
SETTING_TIER = "Memory setting"
SETTING_STUDIO = "Studio"
SETTING_COMFYUI = "ComfyUI"
SETTING_OWN = "your own"
SETTING_VERSIONS = "Runs on"
SETTING_DISK = "Disk"
SETTING_FREE = "{free} free for clips, {cache} for models"
SETTING_FOLDERS = ("Clips", "Models", "Downloaded models", "Log")
BADGE_WAIT = "Memory: {state}"
WHOLE = "✓ intact"
WRONG = "✗ wrong"
QUEUE = "Queue"
QUEUE_COUNTED = "Queue: {counts}"
QUEUE_EMPTY = (
    "The queue is empty. Press Generate while a clip is being made, ask for several takes, or add a batch: they wait "
    "here and run one after another, even if you close this page."
)
COUNT_RUNNING = "{count} running"
COUNT_WAITING = "{count} waiting"
COUNT_FAILED = "{count} failed"
COUNT_PAUSED = "paused"
QUEUE_CANNOT = "The queue doesn't know {act!r}."
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
REMEDY_FETCH = "Get the files"
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
TAKES_OF_YOURS = "Takes, newest first"
TAKE = "{mode}, seed {seed}, {seconds:.1f} s, {prompt}"
TAKE_STILL = "{mode}, seed {seed}, {prompt}"
NO_SEED = "none"
NO_PROMPT = "no prompt"
SECONDS = "{seconds:.1f} s"
SOUND_TILE = "Sound"
FILE_MISSING = "File missing"
NO_POSTER = "No picture"
FAVOURITE = "Favourite: {take}"
TAG = "Tags: {take}"
TAGS = "Tags"
ADD_TAG = "Add tag"
REMOVE_TAG = "Remove tag {tag}"
TAGS_DONE = "Done"
TODAY = "Today"
YESTERDAY = "Yesterday"
SHEET = "Takes of one batch"
SHEET_OF = "{count} takes"
MARK = "Mark for comparison: {take}"
MORE = "More"
SHOWN = "Takes shown: {count}"
MARK_TWO = "Mark two takes to compare them."
MARKED = "{count} of 2 marked"
COMPARE = "Compare"
UNMARK = "Clear marks"
NOTHING_MADE = "No clips yet."
NOTHING_MADE_HINT = (
    "Write a prompt and press Generate. Every clip is kept here with its settings, "
    "so you can open it again, compare two, or change one thing and make another."
)
NOTHING_FITS = "No takes match your search."
NOTHING_FITS_HINT = "Try fewer words, or search all modes."
SHOW_ALL = "Show all"
MAKE_ROOM = "Free up space"
ROOM = "Takes: {takes}. Favourites: {favourites}. Disk space: {size}."
ROOM_MISSING = "Takes whose file is missing: {takes}; they stay in the list."
ROOM_HELP = "Favourites are never deleted."
KEEP_NEWEST = "Newest takes to keep, besides favourites"
KEEP_GB = "Keep at most, in GB"
LOOK_AT_ROOM = "Preview"
NO_NUMBER = "{text!r} isn't a number."
NO_NUMBER_HINT = "Enter a number such as 20 or 1.5, or leave it empty."
SAY_HOW_MANY = "Enter how many takes to keep, or how many GB."
NONE_GOES = "Nothing to delete."
TAKES_WOULD_GO = "Oldest takes to delete permanently: {takes} ({size})."
DELETE_THEM = "Delete {takes}"
KEEP_THEM = "Keep them"
DELETED = "Deleted: {takes}."
TWO_ARE_COMPARED = "You can compare two takes."
TWO_ARE_COMPARED_HINT = "Mark two."
ONE_IS_GONE = "One of the files is missing."
ONE_IS_GONE_HINT = "You can compare the takes when the file is back. Run `ltx-studio doctor` for details."
COMPARISON = "Two clips side by side"
CLOSE = "Close"
CLIP = "Clip {name}"
PLAY = "Play"
FRAME_BACK = "Previous frame"
FRAME_FORWARD = "Next frame"
POSITION = "Position"
REPEAT = "Repeat"
SOUND_OF = "Sound"
NO_SOUND = "off"
DIFFERS = "differs"
DIFFERING = "Differences: {count}, marked ≠."
NOTHING_DIFFERS = "No differences."
FACT_PROMPT = "Prompt"
FACT_MODE = "Mode"
FACT_SEED = "Seed"
FACT_PRESET = "Preset"
FACT_SET = "Model set"
FACT_SIZE = "Size"
FACT_LENGTH = "Length"
FACT_NAME = "Workflow"
PIXELS = "{width} × {height}"
LENGTH_IN_FRAMES = "{frames} frames at {fps:g} fps, {seconds:.1f} s"
A_FILE = "file {name}"
ON = "on"
OFF = "off"
NOT_SAID = "–"
OTHERS = "Others in your network open {urls}"
NO_ADDRESS = "Others in your network open port {port} of this machine"
MADE_PASSWORD = "Password: {password} (made for this run; LTX_STUDIO_PASSWORD sets one of your own)"
SET_PASSWORD = "It asks for the password in LTX_STUDIO_PASSWORD."
PASSWORD = "Password"
PASSWORD_HELP = "The person who started the studio knows it."
WRONG_PASSWORD = "That is not the password."
MANY_VALUES = "The request has more than {most}."
LARGE_REQUEST = "The request is larger than {most}."
SLOW_REQUEST = "The request did not arrive in time. Send it again."
NO_HOST = "The request's Host or Origin header is missing, malformed or repeated."
OTHER_HOST = "The studio does not answer to the host name {host}. If it is yours, add it to LTX_STUDIO_ALLOWED_HOSTS."
OTHER_SITE = (
    "The studio refuses requests from other sites. Open its page directly; behind a proxy, add the proxy's host name "
    "to LTX_STUDIO_ALLOWED_HOSTS."
)
TOO_MANY_GUESSES = "Too many wrong guesses. Wait a little, then try again."
OPEN_PAGE = "Open"
ASKED_BEFORE = "This question is no longer open."
ASKED_BEFORE_HINT = "Press Check or Remove again."
CONTROL_MAP = "Control preview"
PREVIEW_CONTROL = "Preview control"
CONTROL_BUSY = "The preview has to wait for the clip that is being made."
CONTROL_BUSY_HINT = "Preview it again when the clip is done, or choose the control Canny."
