"""Which model files modes need."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.models.registry import load_registry
from ltx_studio.modes import MODES
from ltx_studio.modes.base import Mode
from ltx_studio.modes.required_models import model_files


def test_graphs_are_built_once_for_each_registry_set_and_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "models.toml"
    own.write_text("", encoding="utf-8")
    registry = load_registry(own)
    full, pocket = (registry.get_set(each) for each in ("fp8", "pocket"))
    built: list[str] = []
    build = Mode.build

    def count(mode: Mode, params: Any, model_set: Any, *others: Any, **options: Any) -> Any:
        built.append(f"{mode.id} {model_set.id}")
        return build(mode, params, model_set, *others, **options)

    monkeypatch.setattr(Mode, "build", count)
    mode = MODES["t2v"]
    first = model_files([mode], full, registry)
    assert set(built) == {"t2v fp8"}

    built.clear()
    assert model_files([mode], full, registry) == first
    assert built == []
    with_options = model_files([mode], full, registry, everything=True)
    assert {file.key for file in first} < {file.key for file in with_options}
    assert built == []

    other_loaders = model_files([mode], replace(full, loaders=pocket.loaders), registry)
    assert {file.key for file in other_loaders} != {file.key for file in first}
    model_files([MODES["i2v"]], pocket, registry)
    assert set(built) == {"t2v fp8", "i2v pocket"}
