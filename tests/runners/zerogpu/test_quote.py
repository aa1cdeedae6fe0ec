"""What a run will cost on a GPU that is lent."""

from typing import Any

import pytest

from ltx_studio.modes import MODES
from ltx_studio.queue import JobSpec
from ltx_studio.runners.zerogpu.quote import A_DAY, LEAST, Quote, Size, doubled, quote, size_for
from tests.support import MODEL_SETS, REGISTRY, SMALL

WHOLE = {"prompt": "a red ball", "width": 768, "height": 512, "seconds": 5}


def quoted(
    model_set: str = "fp8", preset: str = "fast", *, factor: float = 1.5, is_warm: bool = True,
    expected: float | None = None, **changes: object,
) -> Quote:  # fmt: skip
    spec = JobSpec.from_request("t2v", WHOLE | changes, MODEL_SETS[model_set], preset)
    return quote(spec, REGISTRY, factor, expected=expected, is_warm=is_warm, size=size_for(spec, REGISTRY))


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
        assert LEAST <= quote(spec, REGISTRY, 1.5, expected=None, is_warm=False).seconds <= A_DAY / 1.5


def test_the_pocket_model_needs_the_least() -> None:
    small: dict[str, Any] = SMALL
    assert quoted("pocket", **small).seconds == LEAST


def test_earlier_takes_know_better() -> None:
    assert quoted(expected=40.0).seconds == 55  # a quarter and 5 seconds more
    assert quoted(expected=40.0, is_warm=False).seconds > 55


@pytest.mark.parametrize(("factor", "most"), [(1.0, 300), (1.5, 200), (2.0, 150)])
def test_no_more_than_a_day_is_reserved_and_it_is_said(factor: float, most: int) -> None:
    long = quoted(expected=1_000.0, factor=factor)
    cost = long.cost(factor)

    assert (long.seconds, cost.seconds, cost.counted, cost.fits) == (most, most, 300, False)
    assert quoted(expected=20.0, factor=factor).cost(factor).fits


@pytest.mark.parametrize(
    ("model_set", "size"), [("pocket", "large"), ("fp8", "large"), ("nvfp4", "large"), ("bf16", "xlarge")]
)
def test_the_smallest_gpu_that_holds_the_model_is_chosen(model_set: str, size: Size) -> None:
    assert quoted(model_set).size == size


def test_a_second_attempt_gets_twice_the_time() -> None:
    assert doubled(Quote("large", 30, 30)) == Quote("large", 60, 60)
    assert doubled(Quote("large", 1_000, 1_000)).seconds == 1_200
