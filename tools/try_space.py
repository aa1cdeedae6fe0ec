"""Start the Space as Hugging Face does, and render a clip in a real browser: `make space` (needs Python 3.12).

An empty environment gets what the platform installs and `requirements.txt`; an empty home gets a preload cache that is
read-only and, where this runs as root, somebody else's; `app.py` starts without the rights of root, on port 7860.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import yaml
from playwright.sync_api import expect

from ltx_studio.models.defaults import PREVIEW
from tools import browser, space

PORT = 7860
START_SECONDS = 120
SET_UP_SECONDS = 900
PICTURE = space.ROOT / "outputs" / "space.png"
NOBODY = 65534
COMMIT, ETAG = "c" * 40, "e" * 64

Problem = AssertionError


def install(environment: Path) -> None:
    """Install what the platform installs, then the Space's own requirements."""
    uv = shutil.which("uv") or str(Path(sys.prefix) / "bin" / "uv")
    readme = (space.ROOT / "README.md").read_text(encoding="utf-8")
    version = yaml.safe_load(readme.split(space.FENCE, 2)[1])["sdk_version"]
    subprocess.run([uv, "venv", "--quiet", "--no-python-downloads", "--python", "3.12", environment], check=True)
    for packages in (
        [f"gradio[oauth,mcp]=={version}", "spaces", "huggingface_hub"],
        ["--requirement", str(space.REQUIREMENTS)],
    ):
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), *packages], check=True
        )


def preload(cache: Path) -> Path:
    """Make a preload cache with one file, and return that."""
    repo = cache / "models--somebody--model"
    blob, pointer, ref = (
        repo / "blobs" / ETAG,
        repo / "snapshots" / COMMIT / "model.safetensors",
        repo / "refs" / "main",
    )
    for path in (blob, pointer, ref):
        path.parent.mkdir(parents=True)
    blob.write_bytes(b"weights")
    pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    ref.write_text(COMMIT)
    for path in [*cache.rglob("*"), cache]:
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
    return blob


def environment_of(home: Path) -> dict[str, str]:
    """Return the variables of a Space's process."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG") or name.startswith("PIP_")}
    return kept | {
        "HOME": str(home),
        "SYSTEM": "spaces",
        "SPACE_ID": "somebody/studio",
        "SPACE_HOST": "somebody-studio.hf.space",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(PORT),
        "PYTHONUNBUFFERED": "1",
    }


def start(python: Path, app: Path, variables: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `app.py`, without the rights of root."""
    unprivileged = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    with log.open("wb") as output:
        command = [*unprivileged, str(python), "app.py"]
        return subprocess.Popen(command, cwd=app, env=variables, stdout=output, stderr=subprocess.STDOUT)


def wait_for_page(process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Problem(f"app.py ended with exit code {process.returncode}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=10) as page:
                if b"LTX" in page.read():
                    return
        except OSError:
            time.sleep(0.5)
    raise Problem("The page did not open.")


def render() -> None:
    """Watch the set-up on the page, then render a clip and take a picture of it."""
    with browser.start() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{PORT}/")
        banner = page.locator("#studio-banner")
        expect(banner).to_contain_text("The studio is being set up", timeout=60_000)
        print("The page shows the set-up:", banner.inner_text().splitlines()[0])
        expect(banner).to_be_hidden(timeout=SET_UP_SECONDS * 1000)
        page.locator("#t2v-prompt textarea").fill("a red ball bounces to the right")
        page.get_by_role("button", name="Generate", exact=True).click()
        page.wait_for_function("document.querySelector('#clip video')?.readyState >= 2", timeout=300_000)
        page.wait_for_function("document.querySelector('#panel-history img')?.naturalWidth > 0")
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)


def try_space(environment: Path, place: Path) -> None:
    """Start the Space in `place` with the packages of `environment`, and use it."""
    with socket.socket() as taken:
        if taken.connect_ex(("127.0.0.1", PORT)) == 0:
            raise Problem(f"Another program listens on port {PORT}: its page would be tried instead.")
    app, home = place / "app", place / "home"
    app.mkdir()
    home.mkdir()
    space.stage(app, PREVIEW, lambda _: COMMIT)
    blob = preload(home / ".cache" / "huggingface" / "hub")
    log = place / "log"
    process = start(environment / "bin" / "python", app, environment_of(home), log)
    try:
        wait_for_page(process)
        render()
    finally:
        process.terminate()
        process.wait(30)
        print(log.read_text(errors="replace"))
    (mirrored,) = home.rglob(f"ltx-studio/hub/**/snapshots/{COMMIT}/*")
    if not mirrored.samefile(blob):
        raise Problem("The preloaded file is not in the writable cache.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.try_space", description=__doc__)
    parser.add_argument("--environment", type=Path, help="use this environment instead of a new one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        environment = given.environment or Path(scratch) / "venv"
        if not given.environment:
            install(environment)
        try_space(environment, Path(scratch))
    print(f"The Space starts, sets up and renders. The page is in {PICTURE}.")


if __name__ == "__main__":
    main()
