"""What interfaces import at run time comes from one place, and what is expensive comes on demand."""

import subprocess
import sys

import pytest

from ltx_studio import studio


@pytest.mark.parametrize("name", studio.__all__)
def test_each_exported_name_is_there(name: str) -> None:
    assert getattr(studio, name) is not None


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="'Nothing'"):
        studio.__getattr__("Nothing")


def test_listing_takes_imports_neither_engine_nor_runners() -> None:
    code = "import ltx_studio.cli.takes, sys; print([name for name in sys.modules if name.startswith('ltx_studio.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "ltx_studio.studio.takes" in done.stdout
    assert "ltx_studio.runners" not in done.stdout
    assert "ltx_studio.engine" not in done.stdout
