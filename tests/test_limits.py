"""Limits on what users bring."""

import pytest

from ltx_studio import limits
from ltx_studio.errors import RequestError, WorkflowError


def test_an_amount_at_the_limit_is_accepted() -> None:
    limits.WORKFLOW_NODES.check(limits.WORKFLOW_NODES.most, "big.json")


def test_an_amount_above_the_limit_is_refused_with_both_figures() -> None:
    with pytest.raises(WorkflowError) as caught:
        limits.WORKFLOW_NODES.check(20_001, "big.json", error=WorkflowError, where="big.json")

    assert caught.value.message == "big.json has 20,001 nodes; the limit is 20,000 nodes."
    assert caught.value.hint
    assert caught.value.where == "big.json"


@pytest.mark.parametrize(
    ("limit", "amount", "said"),
    [
        (limits.PICTURE_PIXELS, 178_000_000, "178 megapixels; the limit is 150 megapixels"),
        (limits.WORKFLOW_FILE, 90_000_000, "90.0 MB; the limit is 33.6 MB"),
    ],
)
def test_bytes_and_pixels_are_shown_as_people_read_them(limit: limits.Limit, amount: int, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        limit.check(amount, "it")


def test_every_limit_is_positive_and_has_a_hint() -> None:
    table = {name: each for name, each in vars(limits).items() if isinstance(each, limits.Limit)}

    assert len(table) > 15
    assert [name for name, each in table.items() if each.most <= 0 or not each.hint.endswith(".")] == []


def test_an_amount_that_was_not_counted_to_its_end_is_not_named() -> None:
    with pytest.raises(RequestError) as caught:
        limits.TABLE_ROWS.check(1_001, "a.csv", is_partial=True)

    assert caught.value.message == "a.csv has more than 1,000 requests."
