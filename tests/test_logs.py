import logging
import subprocess
import sys
from pathlib import Path

import pytest

from ltx_studio import logs
from ltx_studio.settings import Settings


def test_the_log_rotates_and_keeps_a_few(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    try:
        root.handlers = []
        logs.log_to_file(home)
        logs.log_to_file(home)
        (handler,) = root.handlers
        for number in range(100):
            logging.getLogger("test").info("line %d of a long story", number)
        handler.close()
    finally:
        root.handlers, root.level = before
        logging.captureWarnings(False)

    names = {path.name for path in home.log_file.parent.iterdir()}
    assert names == {"studio.log", "studio.log.1", "studio.log.2", "studio.log.3"}
    assert "line 99" in home.log_file.read_text()


def test_warnings_go_to_the_log_and_not_to_the_terminal(tmp_path: Path) -> None:
    code = (
        "import warnings; from pathlib import Path\n"
        "from ltx_studio.logs import log_to_file; from ltx_studio.settings import Settings\n"
        f"settings = Settings(home=Path({str(tmp_path)!r})); log_to_file(settings)\n"
        "warnings.warn('mind the gap'); print(settings.log_file.read_text())"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert "mind the gap" in done.stdout
