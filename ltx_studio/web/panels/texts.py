"""The texts of the panels; those that more of the page shows are in `web/words.py`.

A constant read as `texts.NAME` is in the language of the page (`ltx_studio.text.catalogue`).
"""

from collections.abc import Mapping

from ltx_studio.text.catalogue import counted, translate_constants
from ltx_studio.text.phrases import KEPT

WORKFLOW_FILE = "Workflow (.json), or a file that contains one"
WORKFLOW_MISSING = "Model files missing: {count}"
WORKFLOW_MISSING_NAMES = "Show them"
WORKFLOW_HELP = (
    "Drop a ComfyUI workflow (editor or API format), or a picture, sound or video that contains one. Its inputs "
    "become a form, and the results appear on the screen."
)
SHOW_FORM = "Show form"
CLOSE_FORM = "Close"
MORE_INPUTS = "More inputs ({count})"
OTHER_INPUTS = "Others"
OWN_PROMPT = "Prompt"
OWN_NEGATIVE = "Negative prompt"
OWN_SEED = "Seed"
FIELDS = "{count} inputs. Results appear on the screen."
FIELDS_SHOWN = "The form shows the first {count}; the others keep the workflow's values."
FIELDS_UNFIT = "These fields are empty because the workflow's values don't fit: {names}."
PROBLEMS = "It can't run yet: {problems}"
AND_MORE = " and {count} more"
TRUST = "I trust this workflow: allow nodes that read or write files or run code"
RUN = "Run"
BATCH_LINES = "Prompts, one per line"
BATCH_PLACEHOLDER = "A red ball bounces on a lawn\nA blue cube turns in the rain"
BATCH_FILE = "Or a file (.txt, .csv, .tsv, .jsonl)"
BATCH_PRESET = "Default preset"
BATCH_HELP = (
    "Each line becomes a clip. For other settings, use a table with column headers such as prompt, seconds, seed and "
    "mode. Files need full paths."
)
BATCH_UNTITLED = "The file has no column headers, so each line is a prompt."
BATCH_LINE = "Line {line}:"
BATCH_MORE = "and {count} more"
BATCH_WRONG = "Lines to fix: {count}."
BATCH_WRONG_HINT = "Nothing was added. Fix these lines first."
ADD_TO_QUEUE = "Add to queue"
ADD_COUNT = "Add {clips} to queue"
ADDED = "{clips} added to the queue."
ADDED_HINT = "They run one after another, even if you close this page."
NOTE_OF_REQUEST = "Clip {number}: {note}"
MODEL_SET = "Model set"
GET = "Download {missing}"
FETCHED = "Downloaded. All files are installed."
FETCH_CLOSE = "You can close this page: the download continues."
STOP_DOWNLOAD = "Stop download"
REPAIR_OF = "Repair of {count} files"
FILES_OF_JOB = "Files for a request"
FETCH_STOPPED = f"Stopped. {KEPT}"
IN_ALL = "total"
OF = "{done} of {size}"
HERE = "installed"
INSTALLED = "Installed ({size})"
MISSING = "missing"
BUILT = "created by set-up"
NO_SOURCE = "add it yourself"
GATED = "requires your consent on Hugging Face, and a token"
TO_FETCH = "To download: {missing} of {total}. Free on that disk: {free}."
NEEDS_SET_UP = (
    "Not installed yet. Run `ltx-studio setup` on the computer that runs the studio: it creates the files, without a "
    "download."
)
ONE_TO_PLACE = "Add one file yourself: it is listed below."
MANY_TO_PLACE = "Add {count} files yourself: they are listed below."
ALL_HERE = "Installed ({total})."
NO_ROOM = "Not enough space: free up {short} more."
IN_USE = "This set is in use."
IN_USE_NOW = "This set is in use now. Reload the page to work with it; your settings stay."
USE_AFTER = "After the download, press “Use this set”."
NOT_SWITCHED = "Only the computer that runs the studio can switch the model set, because it changes for everyone."
NOT_SWITCHED_HINT = "On the computer that runs the studio: `ltx-studio settings set model_set SET`."
INCOMPLETE = "Files of {label} are missing."
INCOMPLETE_HINT = "Download them first."
RECOMMENDED_FOR = "Recommended for your {what}"
A_GPU = "{size} GB GPU"
A_COMPUTER = "computer"
NEED_VRAM = "GPU memory"
NEEDS_VRAM = "{least} GB; faster with {whole} GB"
NEEDS_NO_GPU = "no GPU needed"
NEED_RAM = "Memory (RAM)"
NEEDS_RAM = "{size} GB"
NEED_DISK = "Disk"
NEED_TIME = "5 s in Fast"
NEEDS_TIME = "about {low} to {high} on this computer"
ESTIMATED = "Estimates for {width}×{height}, not measured yet."
MEASURED = "Measured on 2 CPU cores."
FILES_OF_SET = "Files and licences ({count})"
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
DROPPED_GONE = "The file is no longer available."
RESTORED = "Settings restored from the video."
SET_UP = "Needs set-up"
MARK_IN_USE = "in use"
MARK_RECOMMENDED = "recommended"
BETWEEN_MARKS = " · "
PARTLY_HERE = "{partial} downloaded"
DOES_NOT_COUNT = "a damaged copy is ignored"
UNKNOWN_SIZE = "size unknown"
FREE = "Free on that disk: {free}."
EVERYTHING = "With camera LoRAs and control models"
REMOVE = "Remove …"
REMOVE_NOW = "Remove and free {freed}"
KEEP = "Keep all"
NOTHING_TO_CHECK = "No files of this set are installed yet."
CHECKING = "Checking: {done} of {count} files done"
READ = "Reading every byte. Large files take minutes."
ONE_GOOD = "The file is intact."
MANY_GOOD = "All {count} files are intact."


def all_good(count: int) -> str:
    """Return that all of a number of files are intact."""
    return counted(ONE_GOOD, MANY_GOOD, count)


def to_place(count: int) -> str:
    """Return that the user must add a number of files, which no repository has."""
    return counted(ONE_TO_PLACE, MANY_TO_PLACE, count)


SOME_BAD = "Not intact: {bad} of {count} files. Repair downloads them again."
CHECKED_BY_CONTENTS = "contents match"
CHECKED_BY_SIZE = "size matches"
NOT_COMPARED = "size matches; no checksum to compare with"
REPAIRED = "Repaired. All files are intact."
CHECK_STOPPED = "Stopped. Nothing was changed."
WOULD_GO = "Removing frees {freed}. Nothing is removed yet."
NOTHING_GOES = "Nothing to remove."
REMOVED = "Removed. Freed: {freed}."
KEPT_ALL = "Nothing was removed."
GOES = "to remove"
GONE = "removed"
STAYS = "kept"
NEEDED_BY = "the set {id} needs it too"
LOSES_SET = "This set is in use: the next clip will need these files."
AT_WORK = "This tab is already working on models."
AT_WORK_HINT = "Stop it first, or wait until it ends."
NOT_FOR_ALL = "Models cannot be removed while other computers can open this page."
NOT_FOR_ALL_HINT = "On the computer that runs the studio: `ltx-studio models remove`."
WORKERS = "Workers"
WORKER_FREE = "free"
WORKER_RENDERING = "rendering job {job}"
WORKER_NO_JOBS = "gets no jobs: {problem}"
WORKER_IN_USE = "{used} of {total} in use"
WORKER_LOADED = "{model_set} loaded"
WORKER_ANSWERED = "last seen {seconds} s ago"
MEMORY = "Memory"
UNLOAD = "Unload all models"
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
LOADS_AGAIN = "The next clip loads its models again, which takes a moment."
TIER = "`{tier}`: {what}"
TIER_NOW = "In use: {policy}."
TIER_HOW = "It is set at start-up. To change it, stop the studio and start it with: `{command}`"
TIERS_ALL = "All options"
TIERS = {
    "auto": "Models that fit stay on the GPU.",
    "gpu-only": "Everything stays on the GPU: fastest, needs the most memory.",
    "high": "Models stay on the GPU between clips.",
    "low": "Models go to the GPU in parts: slower, needs less memory.",
    "none": "As little as possible stays on the GPU: slowest, needs the least memory.",
    "cpu": "The GPU is not used.",
}
POLICIES = {
    "disabled": "CPU only, no GPU",
    "shared": "memory shared by CPU and GPU",
    "no": "as little GPU memory as possible",
    "low": "little GPU memory",
    "normal": "models that fit stay on the GPU",
    "high": "models stay on the GPU",
}
SETTINGS_MORE = "For more details and any problems, run `ltx-studio doctor`."
SETTINGS_AFAR = "Folders are only shown on the computer that runs the studio."
SETTING_SOUND = "Play a sound when a clip is done"
SETTING_SOUND_HELP = "Only when this tab is hidden, or the clip took more than 10 s. Saved in this browser."
SETTING_SET = "Model set"
SETTING_SWITCH = "Change it under Models."
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
WRONG = "✗ not intact"
TWO_ARE_COMPARED = "You can compare two clips."
TWO_ARE_COMPARED_HINT = "Mark two."
ONE_IS_GONE = "One of the files is missing."
ONE_IS_GONE_HINT = "Put it back to compare the clips. Run `ltx-studio doctor` for details."
COMPARISON = "Two clips side by side"
CLIP = "Clip {name}"
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
ASKED_BEFORE = "This confirmation has expired."
ASKED_BEFORE_HINT = "Press Check or Remove again."

translate_constants(__name__)
