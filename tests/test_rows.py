"""A check of many rows in one test tells of each that fails."""

import pytest

from tests.rows import check_rows


def test_every_row_is_checked_and_every_one_that_fails_is_named() -> None:
    checked = []

    def check(row: int) -> None:
        checked.append(row)
        assert row % 2, "even"
        with pytest.raises(ZeroDivisionError):
            assert 1 // (row - 3)

    with pytest.raises(BaseExceptionGroup, match=r"5 of 6 rows fail: <0>, <1>, <2>, <4>, <5>") as told:
        check_rows(range(6), check, "<{}>".format)

    assert checked == [0, 1, 2, 3, 4, 5]
    assert [error.__notes__ for error in told.value.exceptions] == [[f"in row <{row}>"] for row in (0, 1, 2, 4, 5)]
    assert "even" in str(told.value.exceptions[0])


def test_rows_that_pass_are_no_failure() -> None:
    check_rows("ab", str.isalpha)


def test_no_rows_at_all_are_a_failure() -> None:
    with pytest.raises(AssertionError, match="no rows"):
        check_rows([], print)
