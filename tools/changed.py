"""Find out whether what slow tests prove has changed since they last passed.

These tests take minutes, and their outcome depends only on the files that their part names. `make test` runs them when
those files differ from the digest that is stored in the tree. Run as a script: prints pytest's arguments for the parts
that changed and those that did not; `--passed PART` stores a part's digest after its tests have passed.
"""

import argparse
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Part:
    """Slow tests, and what they prove.

    Attributes:
        tests: Their folder.
        watched: The files and folders that their outcome depends on.
    """

    tests: str
    watched: tuple[str, ...]

    @property
    def stored(self) -> str:
        """The file with the digest of the watched files with which the tests passed."""
        return f"{self.tests}/passed.sha256"

    def digest(self, root: Path = ROOT) -> str:
        """Return the sha256 over the names and contents of all watched files, without compiled ones and the digest.

        Args:
            root: The project's folder.
        """
        total = hashlib.sha256()
        for name in sorted(self._files(root)):
            content = hashlib.sha256((root / name).read_bytes()).hexdigest()
            total.update(f"{content}  {name}\n".encode())
        return total.hexdigest()

    def _files(self, root: Path) -> Iterable[str]:
        for name in self.watched:
            path = root / name
            for file in path.rglob("*") if path.is_dir() else [path]:
                relative = file.relative_to(root).as_posix()
                if file.is_file() and "__pycache__" not in relative and relative != self.stored:
                    yield relative

    def has_changed(self, root: Path = ROOT) -> bool:
        """Return whether the watched files differ from those with which the tests passed."""
        stored = root / self.stored
        return not stored.is_file() or stored.read_text(encoding="utf-8").strip() != self.digest(root)

    def store(self, root: Path = ROOT) -> None:
        """Store the digest of the watched files."""
        (root / self.stored).write_text(self.digest(root) + "\n", encoding="utf-8")


PARTS: Mapping[str, Part] = {
    "lab": Part(
        "lab/tests",
        (
            "lab",
            "ltx_studio/pocket",
            "ltx_studio/engine/nodes",
            "ltx_studio/engine/comfyui.py",
            "ltx_studio/families/ltx_2_3",
            "docs/obedience.json",
        ),
    ),
    "editor": Part(
        "tests/web/editor",
        (
            "tests/web/editor",
            "requirements/dev.lock",  # the version of ComfyUI's editor
            "tools/editor.py",
            "ltx_studio/editor_format",
            "ltx_studio/engine/nodes",
            "ltx_studio/engine/comfyui.py",
            "ltx_studio/families",
            "ltx_studio/graph",
            "ltx_studio/modes",
            "ltx_studio/takes/editor_metadata.py",
            "ltx_studio/takes/recipes.py",
        ),
    ),
    "zerogpu": Part(
        "tests/runners/zerogpu/hosted",
        (
            "tests/runners/zerogpu/hosted",
            "tools/ensure-spaces.sh",
            "app.py",
            "ltx_studio/cancel.py",
            "ltx_studio/errors.py",
            "ltx_studio/events.py",
            "ltx_studio/logs.py",
            "ltx_studio/engine",
            "ltx_studio/runners",
            "ltx_studio/studio/in_request.py",
            "ltx_studio/studio/jobs.py",
            "ltx_studio/studio/space.py",
            "ltx_studio/studio/studio.py",
            "ltx_studio/web/api.py",
            "ltx_studio/web/access/owners.py",
            "ltx_studio/web/gradio_compat/streams.py",
            "ltx_studio/web/panels/run.py",
            "ltx_studio/web/server.py",
        ),
    ),
}


def arguments(parts: Mapping[str, Part] = PARTS, root: Path = ROOT) -> Iterator[str]:
    """Yield pytest's arguments, besides `tests`, to run the tests of the parts that have changed, and no others."""
    for part in parts.values():
        is_inside = part.tests.startswith("tests/")
        if part.has_changed(root) and not is_inside:
            yield part.tests
        if not part.has_changed(root) and is_inside:
            yield f"--ignore={part.tests}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--passed", choices=PARTS)
    passed = parser.parse_args().passed
    if passed is None:
        print(*arguments())
    else:
        PARTS[passed].store()
