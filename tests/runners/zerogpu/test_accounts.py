"""What is known of the visitors' accounts at Hugging Face."""

from ltx_studio.runners.zerogpu import accounts
from ltx_studio.runners.zerogpu.accounts import Accounts


def test_an_account_is_known_once_the_platform_has_told_it_and_stays_known() -> None:
    known = Accounts()
    assert known.of("ada") == ""

    known.note("ada", "pro")
    known.note("bea", "free")
    known.note("ada", "")
    known.note("", "pro")

    assert (known.of("ada"), known.of("bea"), known.of("")) == ("pro", "free", "")


def test_not_all_visitors_are_kept_for_ever() -> None:
    known = Accounts()
    for number in range(accounts.MOST_KEPT + 1):
        known.note(str(number), "free")

    assert (known.of("0"), known.of("1")) == ("", "free")
