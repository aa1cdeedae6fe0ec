"""`python app.py`, as a Hugging Face Space starts it."""

import os
import subprocess
import sys
from itertools import takewhile

from ltx_studio.settings import Settings
from tests.support import ROOT, environment

NO_NETWORK = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "url.http://127.0.0.1:9/.insteadOf",
    "GIT_CONFIG_VALUE_0": "https://github.com/",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_RETRIES": "0",
}


def test_sets_up_first_and_serves_even_where_that_fails(home: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment(home, **NO_NETWORK),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    before = list(takewhile(lambda line: not line.startswith("The page is at "), process.stdout))
    process.terminate()
    _, stderr = process.communicate(timeout=60)

    assert before[0].strip().startswith("Looking up ComfyUI")
    assert "ComfyUI could not be downloaded from" in stderr
    assert process.returncode == 0
