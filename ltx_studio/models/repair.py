"""Repairs of model files that a check calls for: which to fetch again, and which copies they replace."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ltx_studio.models.files import Identity, ModelFile, identity
from ltx_studio.models.store import Store
from ltx_studio.models.verify import Verdict


@dataclass(frozen=True, slots=True)
class Repair:
    """The repair of the faults found; empty if there is nothing to do.

    Attributes:
        to_fetch: Files to replace, from the hub or from another copy.
        others: Files without a source, for set-up or the user to provide.
        damaged: The copies to ignore from now on.
    """

    to_fetch: tuple[ModelFile, ...]
    others: tuple[ModelFile, ...]
    damaged: frozenset[Identity]

    @property
    def files(self) -> tuple[ModelFile, ...]:
        return (*self.to_fetch, *self.others)


def repair_of(verdicts: Iterable[Verdict], store: Store) -> Repair:
    """Return the repair of files without a good copy, or with a bad one where ComfyUI looks first."""
    verdicts = list(verdicts)
    good = {verdict.file.key for verdict in verdicts if verdict.is_good}
    bad = {verdict.file.key: verdict.file for verdict in verdicts if verdict.file.key not in good}
    bad |= {each.file.key: each.file for each in verdicts if each.flaw and each.path == store.path(each.file)}
    damaged = frozenset(_identities(each.path for each in verdicts if each.flaw and each.path))
    mended = [file for file in bad.values() if file.repo or store.find(file, damaged)]
    return Repair(tuple(mended), tuple(file for file in bad.values() if file not in mended), damaged)


def _identities(paths: Iterable[Path]) -> Iterator[Identity]:
    for path in paths:
        with contextlib.suppress(OSError):  # deleted since the check
            yield identity(path)
