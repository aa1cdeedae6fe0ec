"""The README's table of what each mode takes: written between its marks, and nothing else touched."""

from pathlib import Path

import pytest

from ltx_studio.families.ltx_2_3 import PRESETS
from ltx_studio.modes import MODES
from tools import table
from tools.table import BEGIN, END, README, machine, write


def found(seconds: float) -> dict[str, table.Cells]:
    return {mode: {name: {"seconds": seconds, "peak_memory": 1_500_000_000} for name in PRESETS} for mode in MODES}


def test_the_table_goes_between_the_marks_and_another_takes_its_place(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\n{END}\nafter\n", encoding="utf-8")

    write(readme, found(1.04), "2 cores")
    once = readme.read_text(encoding="utf-8")
    write(readme, found(23.0), "2 cores")
    twice = readme.read_text(encoding="utf-8")

    assert once.startswith(f"before\n{BEGIN}\n\nThe pocket preview on 2 cores: ")
    assert once.endswith(f"\n\n{END}\nafter\n")
    assert once.count("| 1.0 s, 1.5 GB ") == len(MODES) * len(PRESETS)
    assert all(f"| `{mode}` |" in once for mode in MODES)
    assert "256×192, 2 s" in once
    assert twice == once.replace("1.0 s,", "23.0 s,")


def test_a_file_without_the_marks_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("before", encoding="utf-8")

    with pytest.raises(ValueError, match="marks"):
        write(tmp_path / "README.md", found(1), "2 cores")

    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "before"


def test_the_readme_has_the_marks_and_every_preset_a_column() -> None:
    text = README.read_text(encoding="utf-8")

    assert text.index(BEGIN) < text.index(END)
    assert set(table.PRESETS) == set(PRESETS)


@pytest.mark.parametrize(
    ("device", "said"),
    [("cpu", "no GPU"), ("", "no GPU"), ("cuda:0 NVIDIA H100 80GB HBM3 : native", "NVIDIA H100 80GB HBM3")],
)
def test_the_machine_is_told_by_its_parts(device: str, said: str) -> None:
    assert machine(device).endswith(f", {said}")
    assert " cores of " in machine(device)
