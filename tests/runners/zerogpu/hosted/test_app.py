"""`python app.py` as a ZeroGPU Space starts it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from gradio_client import Client

from ltx_studio.settings import Settings
from tests.runners.zerogpu.hosted.device_api import DeviceApi
from tests.runners.zerogpu.hosted.hosts import SPACES
from tests.support import ROOT, SMALL, environment, home_apart

APP = """
import sys
sys.modules["torch"] = None  # so that `spaces` needs no build of torch with CUDA
import spaces
del sys.modules["torch"]
import runpy
runpy.run_path("app.py", run_name="__main__")
"""


def test_the_page_reports_to_the_platform_runs_jobs_and_leaves_no_process(set_up: Settings, tmp_path: Path) -> None:
    api, log = DeviceApi(), tmp_path / "app.log"
    settings = home_apart(set_up, tmp_path / "home")
    with log.open("w") as written:  # not a pipe: GPU processes would keep it open
        process = subprocess.Popen(
            [sys.executable, "-c", APP], cwd=ROOT, stdout=written, stderr=written,
            env=environment(
                settings, SPACES_ZERO_GPU="true", SPACES_ZERO_DEVICE_API_URL=api.url, OMP_NUM_THREADS="1",
                CUDA_VISIBLE_DEVICES="", HOME=str(tmp_path), PYTHONPATH=os.pathsep.join([str(ROOT), str(SPACES)]),
            ),
        )  # fmt: skip
    try:
        end = time.monotonic() + 200
        while "The page is at " not in log.read_text() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        url = log.read_text().partition("The page is at ")[2].split()[0]
        client = Client(url, headers={"X-IP-Token": "token"}, verbose=False)
        job = client.predict(**SMALL, api_name="/t2v")
        *_, ended = client.submit(job=job["id"], api_name="/follow")

        assert ended["state"] == "done", ended
        assert api.of("/startup-report") == [{}]
        assert api.of("/schedule")[0]["token"] == "token"
        assert api.of("/release")[0]["fail"] == "false"
        gpu_process = int(api.of("/allow")[0]["pid"])
        assert psutil.pid_exists(gpu_process)
        process.terminate()
        assert process.wait(60) == 0
        assert not psutil.pid_exists(gpu_process) or psutil.Process(gpu_process).status() == psutil.STATUS_ZOMBIE
    finally:
        process.kill()
        process.wait()
        api.close()
