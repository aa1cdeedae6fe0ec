"""`python app.py`, as a Hugging Face Space starts it."""

import os
import subprocess
import sys

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


def test_the_page_opens_before_the_set_up_and_says_why_it_failed(home: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment(home, **NO_NETWORK),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines = iter(process.stdout)
    next(line for line in lines if line.startswith("The page is at "))
    said = next(line for line in process.stderr if line.startswith("Error: "))
    process.terminate()
    process.communicate(timeout=60)

    assert "ComfyUI could not be downloaded from" in said
    assert process.returncode == 0
