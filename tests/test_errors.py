import pickle

import pytest

from ltx_studio import errors
from ltx_studio.errors import Remedy, StudioError

TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, StudioError)]


@pytest.mark.parametrize("kind", TREE)
def test_survives_pickling_with_everything_it_says(kind: type[StudioError]) -> None:
    error = kind(
        "It broke.", "Mend it.", where="Stage 1", details="Traceback …", remedies=[Remedy.FETCH], files=["a/b"]
    )

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert again == error
    assert str(again) == "It broke."
    assert (again.hint, again.where, again.details) == ("Mend it.", "Stage 1", "Traceback …")
    assert (again.remedies, again.files) == ((Remedy.FETCH,), ("a/b",))


def test_what_was_stored_by_an_older_or_a_newer_studio_is_read() -> None:
    old = {"error": "execution", "message": "It broke.", "hint": "Mend it.", "where": "", "details": ""}

    assert StudioError.restore(old) == errors.ExecutionError("It broke.", "Mend it.")
    newer = StudioError.restore({**old, "error": "unheard of", "remedies": ["retry", "pray"]})
    assert newer == StudioError("It broke.", "Mend it.", remedies=[Remedy.RETRY])


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in TREE}) == len(TREE)


def test_a_wrong_request_exits_with_2_and_a_failure_with_1() -> None:
    assert {kind.__name__ for kind in TREE if kind.exit_code == 2} == {"RequestError", "WorkflowError"}
    assert {kind.exit_code for kind in TREE} == {1, 2}


def test_an_unexpected_exception_keeps_its_name_and_gets_a_hint() -> None:
    error = StudioError.unexpected(ZeroDivisionError("by zero"), details="Traceback …")

    assert "ZeroDivisionError: by zero" in error.message
    assert error.hint
    assert error.details == "Traceback …"
