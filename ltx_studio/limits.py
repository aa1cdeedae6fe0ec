"""Limits on users' files and clients' requests: one table, each with the error that names it.

A limit keeps one file or one request from using up a core or the memory that others need. Each is far above normal
use, and is checked before the work that it bounds begins.
"""

from dataclasses import dataclass

from ltx_studio.errors import RequestError
from ltx_studio.text.formatting import in_bytes

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limit:
    """An upper limit on one thing.

    Attributes:
        most: The largest amount that is accepted.
        unit: What is counted, in the plural; ``bytes`` and ``pixels`` are shown as megabytes and megapixels.
        hint: What the user can do about it.
    """

    most: int
    unit: str
    hint: str

    def check(
        self,
        amount: int,
        what: str,
        *,
        error: type[RequestError] = RequestError,
        where: str = "",
        is_partial: bool = False,
    ) -> None:
        """Refuse an amount above the limit.

        Args:
            amount: How much there is.
            what: The file or the part of it, as the subject of the sentence.
            error: The kind of error to raise.
            where: See `StudioError`.
            is_partial: Whether the caller stopped counting above the limit, so that there may be more than `amount`.

        Raises:
            RequestError: The amount is above the limit; the message names the limit, and the amount if it is known.
        """
        if amount > self.most:
            most = _shown(self.most, self.unit)
            said = f"more than {most}" if is_partial else f"{_shown(amount, self.unit)}; the limit is {most}"
            raise error(f"{what} has {said}.", self.hint, where=where)


def _shown(amount: int, unit: str) -> str:
    if unit == "bytes":
        return in_bytes(amount)
    if unit == "pixels":
        return f"{amount / 1e6:.0f} megapixels"
    return f"{amount:,} {unit}"


# Requests to the server
REQUEST_BODY = Limit(4 * MEBIBYTE, "bytes", "Send less at once, and upload files instead of embedding them.")
REQUEST_VALUES = Limit(50_000, "values", "Send fewer values at once, and upload files instead of embedding them.")
REQUEST_DEPTH = Limit(64, "levels of lists and objects", "Send simpler values.")
LOGIN_BODY = Limit(10_000, "bytes", "Send only the name and the password.")
UPLOAD = Limit(1_000_000_000, "bytes", "Make the file smaller, or run the studio on the machine that has the file.")
UPLOAD_BODY = Limit(4_000_000_000, "bytes", "Upload fewer files at once.")
UPLOAD_FIELD = Limit(100_000, "bytes", "Send only files to the upload, each with its name.")
SEARCH_WORDS = Limit(50, "words", "Search for fewer words.")

# Workflows
WORKFLOW_FILE = Limit(32 * MEBIBYTE, "bytes", "Export the workflow again from ComfyUI, without embedded data.")
WORKFLOW_NODES = Limit(20_000, "nodes", "Split the workflow into smaller ones.")
WORKFLOW_LINKS = Limit(100_000, "links", "Split the workflow into smaller ones.")
WORKFLOW_STEPS = Limit(1_000_000, "inputs and links to follow", "Split the workflow into smaller ones.")
SUBGRAPH_DEPTH = Limit(32, "levels of nested subgraphs", "Unpack some of them in ComfyUI's editor.")
VALUE_DEPTH = Limit(32, "levels of lists and objects", "Export the workflow again from ComfyUI.")
NAME = Limit(1_000, "characters", "Shorten the name.")
TEXT = Limit(100_000, "characters", "Shorten the text.")
FORMULAS = Limit(50_000, "characters", "Simplify the formulas, or split the workflow into smaller ones.")
CHOICE_DEPTH = Limit(50, "levels of nested choices", "Nest fewer braces in the prompt.")

# Values that nodes hand to each other while a workflow runs
RUN_TEXT = Limit(1_000_000, "characters", "Join shorter strings.")
RUN_LIST = Limit(100_000, "values", "Make shorter lists.")
RUN_MADE = Limit(100_000_000, "characters", "Replace text in a shorter string.")

# Tables of requests
TABLE_FILE = Limit(16 * MEBIBYTE, "bytes", "Split the table into several files.")
TABLE_ROWS = Limit(1_000, "requests", "Split the table into several files.")
TABLE_LINES = Limit(100_000, "lines", "Remove empty lines, or split the table into several files.")
TABLE_COLUMNS = Limit(200, "columns", "Keep only the columns that the mode uses.")

# A user's model sets
MODELS_FILE = Limit(MEBIBYTE // 2, "bytes", "Keep only the sets and files that you use.")
MODELS_DOTS = Limit(200, "dots in one line", "Write one short key per line.")

# Media and model files
TAG = Limit(16 * MEBIBYTE, "bytes", "Save the video without its tags.")
PICTURE_PIXELS = Limit(150_000_000, "pixels", "Make the picture smaller.")
CLIP_PIXELS = Limit(36_000_000, "pixels", "Convert the clip to 8K (7680×4320) or smaller.")
SOUND_CHANNELS = Limit(8, "channels", "Convert it to stereo.")
SOUND_RATE = Limit(768_000, "samples per second", "Convert it to 48,000 samples per second.")
STREAMS = Limit(64, "streams", "Keep one video stream and one audio stream.")
PACKETS = Limit(300_000, "packets", "Trim it to the part that you need.")
DAMAGED_PACKETS = Limit(1_000, "damaged packets in a row", "Convert it again, or use another file.")
SAFETENSORS_HEADER = Limit(16 * MEBIBYTE, "bytes", "Save the model file without its training metadata.")

# Limits of a parser in its own process (`reading`)
READ_CPU_SECONDS = Limit(30, "seconds of CPU time", "Use a smaller or simpler file.")
READ_SECONDS = Limit(120, "seconds", "Use a smaller or simpler file, or try again when the machine is less busy.")
READ_MEMORY = Limit(1280 * MEBIBYTE, "bytes", "Use a smaller or simpler file.")
WORK_MEMORY = Limit(16_384 * MEBIBYTE, "bytes", "Use a smaller or simpler file.")
