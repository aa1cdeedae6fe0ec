"""What a run will cost on a GPU that is lent."""

from typing import Any

import pytest

from ltx_studio.modes import MODES
from ltx_studio.queue import JobSpec
from ltx_studio.runners.protocol import Cost
from ltx_studio.runners.zerogpu.accounts import A_DAY
from ltx_studio.runners.zerogpu.quote import LEAST, MOST, LongerQuotes, Quote, Size, quote, size_for
from tests.support import MODEL_SETS, REGISTRY, SMALL

WHOLE = {"prompt": "a red ball", "width": 768, "height": 512, "seconds": 5}


def quoted(
    model_set: str = "fp8", preset: str = "fast", *, is_warm: bool = True, expected: float | None = None,
    **changes: object,
) -> Quote:  # fmt: skip
    spec = JobSpec.from_request("t2v", WHOLE | changes, MODEL_SETS[model_set], preset)
    return quote(spec, REGISTRY, expected=expected, is_warm=is_warm, size=size_for(spec, REGISTRY))


def test_more_work_costs_more() -> None:
    usual = quoted().seconds

    assert quoted(seconds=10).seconds > usual
    assert quoted(width=1280, height=704).seconds > usual
    assert quoted(preset="quality").seconds > usual
    assert quoted(preset="draft").seconds < usual
    assert quoted(is_warm=False).seconds > usual


def test_every_mode_has_a_quote_below_the_cap() -> None:
    for mode in MODES.values():
        example = mode.example(MODEL_SETS["fp8"])
        spec = JobSpec(mode.id, example, MODEL_SETS["fp8"], "fast")
        assert LEAST <= quote(spec, REGISTRY, expected=None, is_warm=False).seconds <= A_DAY["free"] / 1.5


def test_the_pocket_model_needs_the_least() -> None:
    small: dict[str, Any] = SMALL
    assert quoted("pocket", **small).seconds == LEAST


def test_earlier_takes_know_better() -> None:
    assert quoted(expected=40.0).seconds == 55  # a quarter and 5 seconds more
    assert quoted(expected=40.0, is_warm=False).seconds > 55


@pytest.mark.parametrize(("expected", "factor", "fits"), [(150, 1.5, True), (160, 1.5, False), (160, 1.0, True)])
def test_more_than_a_free_account_has_for_a_day_is_said(expected: float, factor: float, fits: bool) -> None:
    assert quoted(expected=expected).cost(factor).fits == fits


def test_a_run_reserves_what_it_needs_so_that_none_is_cut_off_for_a_free_accounts_day() -> None:
    """The platform refuses too long a run at once, and that costs nothing."""
    assert quoted(expected=1_000.0).seconds == MOST
    assert quoted(expected=400.0).cost(1.5) == Cost(505, 758, 300, most=200)


def test_a_pro_account_may_have_longer_runs_but_none_beyond_the_longest_that_is_reserved() -> None:
    assert quoted(expected=400.0).cost(1.5, "pro") == Cost(505, 758, 2400, most=MOST - 1, account="pro")
    assert quoted(expected=400.0).cost(1.5, "pro").fits
    assert not quoted(expected=1_000.0).cost(1.5, "pro").fits, "it would be cut off"


@pytest.mark.parametrize(
    ("model_set", "size"), [("pocket", "large"), ("fp8", "large"), ("nvfp4", "large"), ("bf16", "xlarge")]
)
def test_the_smallest_gpu_that_holds_the_model_is_chosen(model_set: str, size: Size) -> None:
    assert quoted(model_set).size == size


def test_after_a_run_was_cut_off_the_next_ones_of_that_kind_reserve_twice_the_time() -> None:
    longer = LongerQuotes()
    spec, other = (
        JobSpec.from_request("t2v", WHOLE | size, MODEL_SETS["fp8"], "fast") for size in ({}, {"seconds": 9})
    )
    first = Quote("large", 30)

    again = longer.doubled(spec, first)

    assert again == longer.at_least(spec, first) == Quote("large", 60)
    assert longer.at_least(spec.with_seed(5), first) == again
    assert longer.at_least(other, first) == first
    assert longer.at_least(spec, Quote("large", 90)).seconds == 90
    assert longer.doubled(spec, Quote("large", 1_000)).seconds == MOST
