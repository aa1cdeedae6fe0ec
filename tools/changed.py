"""Find out whether what the lab's tests prove has changed since they last passed.

The tests train parts of the pocket model and render with it, which takes minutes. Their outcome depends on the files
below `WATCHED` only, so `make test` runs them when those files differ from the digest that is stored in the tree.
Run as a script: prints the tests to run, if any; `--write` stores the digest after they have passed.
"""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WATCHED = (
    "lab",
    "ltx_studio/pocket",
    "ltx_studio/engine/nodes",
    "ltx_studio/engine/comfyui.py",
    "ltx_studio/families/ltx_2_3",
    "docs/obedience.json",
)
TESTS = "lab/tests"
STORED = "lab/tests/passed.sha256"


def digest_of(root: Path, watched: Iterable[str] = WATCHED) -> str:
    """Return the sha256 over the names and contents of all watched files, without compiled ones and the stored digest.

    Args:
        root: The project's folder.
        watched: Files and folders below it.
    """
    total = hashlib.sha256()
    for name in sorted(_files(root, watched)):
        content = hashlib.sha256((root / name).read_bytes()).hexdigest()
        total.update(f"{content}  {name}\n".encode())
    return total.hexdigest()


def _files(root: Path, watched: Iterable[str]) -> Iterable[str]:
    for name in watched:
        path = root / name
        for file in path.rglob("*") if path.is_dir() else [path]:
            relative = file.relative_to(root).as_posix()
            if file.is_file() and "__pycache__" not in relative and relative != STORED:
                yield relative


def has_changed(root: Path = ROOT) -> bool:
    """Return whether the watched files differ from those with which the tests passed."""
    stored = root / STORED
    return not stored.is_file() or stored.read_text(encoding="utf-8").strip() != digest_of(root)


def store(root: Path = ROOT) -> None:
    """Store the digest of the watched files."""
    (root / STORED).write_text(digest_of(root) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        store()
    elif has_changed():
        print(TESTS)
