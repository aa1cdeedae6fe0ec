"""Start and ask host processes."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from ltx_studio.settings import Settings
from tests.runners.zerogpu.hosted.device_api import DeviceApi
from tests.support import ROOT, home_apart

SPACES = Path(os.environ.get("SPACES_DIR") or ROOT / ".venv" / "spaces").absolute()
"""Where `tools/ensure-spaces.sh` puts the platform's package."""

ANSWER_SECONDS = 200.0


class HostProcess:
    """A studio on ZeroGPU in a process of its own, with the device API that it asks for GPUs."""

    def __init__(self, settings: Settings, home: Path) -> None:
        if not SPACES.is_dir():
            raise RuntimeError("The package `spaces` is missing: run tools/ensure-spaces.sh")
        self.api = DeviceApi()
        self.settings = home_apart(settings, home)
        self.log = home / "host.log"
        environment = {
            **os.environ, "SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": self.api.url,
            "SPACES_DIR": str(SPACES), "PYTHONPATH": str(ROOT), "HOME": str(home), "OMP_NUM_THREADS": "1",
            "GRADIO_ANALYTICS_ENABLED": "False", "CUDA_VISIBLE_DEVICES": "",
        }  # fmt: skip
        folders = (self.settings.home, self.settings.comfy_dir, self.settings.hub_cache)
        with self.log.open("w") as log:  # not a pipe: GPU processes would keep it open
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.runners.zerogpu.hosted.host", *map(str, folders)],
                cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._read() == "ready"

    def ask(self, name: str, *positional: Any, **named: Any) -> Any:
        """Have the host do something, and return its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, positional, named]) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        if "error" in answer:
            raise AssertionError(f"{answer['error']}\n{answer['trace']}")
        return answer["answer"]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        timer = threading.Timer(ANSWER_SECONDS, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            raise AssertionError(f"the host has ended, or did not answer:\n{self.log.read_text()[-4000:]}")
        return json.loads(line)

    def close(self) -> None:
        try:
            if self._process.poll() is None:
                self.ask("end")
        finally:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self.api.close()
