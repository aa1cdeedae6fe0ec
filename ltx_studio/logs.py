"""The studio's rotating log file. Whatever ComfyUI and the libraries log goes there, not to the user's terminal."""

import logging
import logging.handlers

from ltx_studio.privacy import home_error, open_home
from ltx_studio.settings import Settings

MAX_BYTES = 2_000_000
BACKUPS = 3


def log_to_file(settings: Settings) -> None:
    """Send every log record and warning of this process to the log file. Calling it again does nothing.

    Raises:
        SetupError: The studio's folder cannot be written.
    """
    root = logging.getLogger()
    if any(isinstance(handler, logging.handlers.RotatingFileHandler) for handler in root.handlers):
        return
    open_home(settings.home)
    try:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            settings.log_file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8"
        )
    except OSError as error:
        raise home_error(settings.home, error) from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would note signed addresses
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not fill the terminal with the log's own tracebacks
