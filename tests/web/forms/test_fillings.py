"""What forms are to be filled in with, until they ask."""

from ltx_studio.web.forms.fillings import MOST_FILLINGS, Fillings


def test_what_nobody_asks_for_is_forgotten() -> None:
    fillings = Fillings()
    first, *_, last = [fillings.keep({"prompt": str(number)}) for number in range(MOST_FILLINGS + 1)]

    assert fillings.take(first) == {}
    assert fillings.take(last) == {"prompt": str(MOST_FILLINGS)}


def test_a_word_is_good_for_once_and_for_its_own() -> None:
    fillings = Fillings()
    day, night = fillings.keep({"prompt": "day"}), fillings.keep({"prompt": "night"})

    assert fillings.take(night) == {"prompt": "night"}
    assert fillings.take(night) == {}
    assert fillings.take(day) == {"prompt": "day"}
