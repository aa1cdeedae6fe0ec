"""Imports Gradio without what only its own developers need, which is two fifths of the import time."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

MODULE, WRITES_TYPES = "gradio.component_meta", "create_or_modify_pyi"


class _Loader(SourceFileLoader):
    real: Any = None

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self.real = getattr(module, WRITES_TYPES, None)
        setattr(module, WRITES_TYPES, lambda *_: None)


class _Finder(MetaPathFinder):
    loader: _Loader | None = None

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = self.loader = _Loader(name, spec.loader.path)
        return spec


@contextmanager
def no_files_of_types() -> Iterator[None]:
    """Keep Gradio 6.31 from parsing the source of each component class to write a type stub beside it.

    This applies to Gradio's own components, if Gradio is not imported yet, and to those of the studio, beside which no
    stubs may appear. Classes that are defined later get theirs as usual.
    """
    there, finder = sys.modules.get(MODULE), _Finder()
    real = getattr(there, WRITES_TYPES, None)
    if there is not None and real is not None:
        setattr(there, WRITES_TYPES, lambda *_: None)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if finder.loader is not None and finder.loader.real is not None:
            real = finder.loader.real
        if real is not None:
            setattr(sys.modules[MODULE], WRITES_TYPES, real)
