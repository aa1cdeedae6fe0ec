"""Model files: how long a plan takes, and fetching from a hub on loopback, against `huggingface_hub` alone.

make bench
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.spine import median, python, seconds, show
from ltx_studio.downloads import ensure_models
from ltx_studio.events import Finished
from ltx_studio.models import ModelFile, Store, get_registry
from ltx_studio.settings import Settings
from tests.hub import LoopbackHub, safetensors

SIZE = 200_000_000
REPO, NAME = "bench/model", "model.safetensors"
BY_HUGGINGFACE = f"from huggingface_hub import hf_hub_download; hf_hub_download({REPO!r}, {NAME!r})"
HALF = SIZE // 2


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, LoopbackHub().running() as hub:
        hub.put(REPO, NAME, safetensors(SIZE))
        folder = Path(scratch)
        plan(folder / "plan", hub)
        fetch(folder / "fetch", hub)
        kill(folder / "kill", hub)


def plan(folder: Path, hub: LoopbackHub) -> None:
    """Measure the plan for all six modes on an empty machine."""
    os.environ |= environment(folder, hub)
    helped = median(lambda: python("-m", "ltx_studio", "--help"))
    show("ltx-studio --help", helped, helped)
    show("ltx-studio models plan", median(lambda: python("-m", "ltx_studio", "models", "plan")), helped)
    assert hub.requests == []


def fetch(folder: Path, hub: LoopbackHub) -> None:
    """Fetch 200 MB in this process; then measure what a run spends on checking files that are present."""
    theirs = seconds(lambda: by_huggingface(folder / "theirs", hub))
    show("200 MB by huggingface_hub", theirs, theirs)
    settings = Settings(home=folder / "home", hub_cache=folder / "ours", hub_endpoint=hub.url)
    file = ModelFile("checkpoints", NAME, repo=REPO, path=NAME)
    store = Store(settings, replace(get_registry(settings), files={file.key: file}))
    show("200 MB by us, with sha256", seconds(lambda: ours(store, file)), theirs)
    show("once it is here", median(lambda: ours(store, file)), theirs)


def ours(store: Store, file: ModelFile) -> None:
    *_, outcome = ensure_models([file], store)
    assert isinstance(outcome, Finished), outcome


def by_huggingface(cache: Path, hub: LoopbackHub) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(REPO, NAME, cache_dir=cache, endpoint=hub.url)


def kill(folder: Path, hub: LoopbackHub) -> None:
    """Send SIGKILL at half and fetch again; measure how many bytes are sent twice."""
    own = folder / "home" / "models.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f'[files."checkpoints/{NAME}"]\nrepo = "{REPO}"\n')
    for who, command in (
        ("huggingface_hub", [sys.executable, "-c", BY_HUGGINGFACE]),
        ("us", [sys.executable, "-m", "ltx_studio", "models", "get", NAME]),
    ):
        run = environment(folder, hub, HF_HUB_CACHE=str(folder / who))
        before = hub.sent()
        process = subprocess.Popen(command, env=run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: hub.sent() - before > HALF)  # noqa: B023  (called before the next round)
        process.kill()
        process.wait()
        subprocess.run(command, env=run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        again = hub.sent() - before - SIZE
        print(f"sent twice after a kill, {who}: {again / SIZE:.1%} of {SIZE:,} bytes", flush=True)


def environment(folder: Path, hub: LoopbackHub, **changes: str) -> dict[str, str]:
    ours = {"LTX_STUDIO_HOME": str(folder / "home"), "HF_HUB_CACHE": str(folder / "cache"), "HF_ENDPOINT": hub.url}
    return {**os.environ, **ours, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **changes}


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


if __name__ == "__main__":
    main()
