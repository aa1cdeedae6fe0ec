"""Events and errors cross process borders: pickled, and as plain dictionaries. Their classes are found, not listed."""

import json
import pickle
from pathlib import Path
from typing import get_args

import pytest

from ltx_studio.errors import StudioError
from ltx_studio.events import Event, Failed, Finished, Output, Started, from_dict, to_dict
from tests.plain import error_classes, error_of, event_classes, event_of, odd_parts

EVENTS: list[Event] = [event_of(kind) for kind in event_classes()]
ERRORS: list[StudioError] = [error_of(kind) for kind in error_classes()]


def test_every_event_and_every_error_is_the_same_after_a_dictionary() -> None:
    assert [from_dict(to_dict(event)) for event in EVENTS] == EVENTS
    assert [StudioError.from_dict(error.to_dict()) for error in ERRORS] == ERRORS
    failures = [Failed(error) for error in ERRORS]
    assert [from_dict(to_dict(failure)) for failure in failures] == failures


def test_the_dictionaries_hold_built_in_types_and_name_their_class() -> None:
    made = [*map(to_dict, EVENTS), *(error.to_dict() for error in ERRORS)]

    assert [odd for each in made for odd in odd_parts(each)] == []
    assert [each["type"] for each in made] == [type(each).__name__ for each in (*EVENTS, *ERRORS)]


def test_errors_and_events_without_pictures_survive_json() -> None:
    for error in ERRORS:
        assert StudioError.from_dict(json.loads(json.dumps(error.to_dict()))) == error
    finished = Finished((Output(Path("a.mp4"), "Save"),), 1.0)
    assert from_dict(json.loads(json.dumps(to_dict(finished)))) == finished


def test_all_classes_are_found() -> None:
    assert set(event_classes()) == set(get_args(Event))
    names = {kind.__name__ for kind in error_classes()}
    assert {"StudioError", "OutOfMemoryError", "MissingNodesError", "DatabaseDamagedError"} <= names
    assert len(names) == len(ERRORS), "the name of a class is its type"


def test_an_event_of_a_newer_studio_is_read_and_an_unknown_one_is_refused() -> None:
    started = Started("a1", 29, 3)

    assert from_dict({**to_dict(started), "device": "cuda:1"}) == started
    for wrong in ({}, {"type": "Boiled"}, {"type": "Started"}, {"type": "Failed", "error": {}}):
        with pytest.raises(ValueError, match="event"):
            from_dict(wrong)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_survives_pickling(event: Event) -> None:
    assert pickle.loads(pickle.dumps(event)) == event
