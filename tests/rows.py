"""Many rows in one test, for tables whose rows take less time than pytest needs for a test."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

Row = TypeVar("Row")


def check_rows(rows: Iterable[Row], check: Callable[[Row], object], name: Callable[[Row], object] = str) -> None:
    """Check every row, then fail with the names of all that failed and the traceback of each."""
    count = 0
    failed: dict[str, BaseException] = {}
    for row in rows:
        count += 1
        try:
            check(row)
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
            failed[str(name(row))] = error
            error.add_note(f"in row {name(row)}")
    assert count, "there are no rows"
    if failed:
        raise BaseExceptionGroup(f"{len(failed)} of {count} rows fail: {', '.join(failed)}", list(failed.values()))
