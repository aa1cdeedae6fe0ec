"""The time left as it is shown."""

from ltx_studio.web.panels.run_view import DOUBT_SECONDS, TimeLeft


def test_the_time_left_counts_down_while_the_estimate_wavers() -> None:
    """F45."""
    left = TimeLeft()
    shown = [left.look(estimate, now) for now, estimate in enumerate((9, 10, 9, 4, 6, 5, 2))]

    assert shown == sorted(shown, reverse=True)
    assert shown[0] == 9
    assert shown[-1] == 1  # of 4 s at second 3


def test_the_time_left_grows_when_the_estimate_stays_longer() -> None:
    left = TimeLeft()
    assert left.look(5, 0) == 5
    assert left.look(60, 1) == 4

    assert left.look(60, 1 + DOUBT_SECONDS) == 60
