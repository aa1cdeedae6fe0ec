import pickle

import pytest

from ltx_studio import errors
from ltx_studio.advice import Advice, Do
from ltx_studio.errors import Remedy, StudioError

TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, StudioError)]


@pytest.mark.parametrize("kind", TREE)
def test_survives_pickling_with_everything_it_says(kind: type[StudioError]) -> None:
    error = kind(
        "It broke.",
        "Mend it.",
        advice=Advice.to(Do.TRUST),
        where="Stage 1",
        details="Traceback …",
        remedies=[Remedy.FETCH],
        files=["a/b"],
    )

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert again == error
    assert str(again) == "It broke."
    assert again.advice == Advice.to(Do.TRUST)
    assert (again.hint, again.where, again.details) == ("Mend it.", "Stage 1", "Traceback …")
    assert (again.remedies, again.files) == ((Remedy.FETCH,), ("a/b",))


OLD = {"error": "execution", "message": "It broke.", "hint": "Mend it.", "where": "", "details": ""}
"""As the first studios stored it."""


def test_what_was_stored_by_an_older_or_a_newer_studio_is_read() -> None:
    assert StudioError.from_dict(OLD) == errors.ExecutionError("It broke.", "Mend it.")
    newer = {**OLD, "type": "BoiledError", "error": "unheard of", "remedies": ["retry", "pray"], "colour": "red"}
    assert StudioError.from_dict(newer) == StudioError("It broke.", "Mend it.", remedies=[Remedy.RETRY])


def test_a_class_that_is_not_known_here_becomes_the_one_of_its_code() -> None:
    import ltx_studio.graph.missing_nodes
    import ltx_studio.queue.damage  # noqa: F401  (both declare classes with a code of the tree)

    for code, kind in (("workflow", errors.WorkflowError), ("setup", errors.SetupError)):
        for stored in ({**OLD, "error": code}, {**OLD, "error": code, "type": "BoiledError"}):
            assert type(StudioError.from_dict(stored)) is kind


@pytest.mark.parametrize(
    "advice",
    [
        None,
        5,
        [],
        {},
        {"do": "pray"},
        {"do": "trust", "given": 5},
        {"do": "trust", "given": {"a": 1}},
        {"do": ["trust"]},
    ],
)
def test_advice_that_cannot_be_read_is_passed_over(advice: object) -> None:
    error = StudioError.from_dict({**OLD, "advice": advice})

    assert (error.advice, error.hint) == (None, "Mend it.")


def test_the_keys_that_earlier_studios_read_are_stored() -> None:
    assert {"error", "message", "hint", "where", "details", "remedies", "files"} <= StudioError(
        "A.", "B."
    ).to_dict().keys()


def test_an_interface_words_the_advice_and_else_the_hint_is_shown() -> None:
    error = StudioError("It is missing.", "Fetch it.", advice=Advice.to(Do.SET_VALUE, wanted="{a number}"))
    or_pocket = Advice(Do.TRUST, otherwise=Do.USE_POCKET)

    assert error.hint_in({Do.SET_VALUE: "Give it {wanted}."}) == "Give it {a number}."
    assert error.hint_in({}) == "Fetch it."
    assert error.hint_in({Do.SET_VALUE: "Give it {unheard_of}."}) == "Fetch it."
    assert StudioError("A.", "B.").hint_in({Do.TRUST: "Trust it."}) == "B."
    assert or_pocket.worded({Do.TRUST: "Trust it.", Do.USE_POCKET: "use it"}) == "Trust it. Or use it."
    assert or_pocket.worded({Do.TRUST: "Trust it."}) == ""


def test_a_renamed_file_is_renamed_in_the_advice_too() -> None:
    error = StudioError("studio-1 is bad.", "See studio-1.", advice=Advice.to(Do.REPAIR_MODEL, file="studio-1"))

    renamed = error.renamed({"studio-1": "mine"})

    assert (renamed.message, renamed.hint) == ("mine is bad.", "See mine.")
    assert renamed.advice == Advice.to(Do.REPAIR_MODEL, file="mine")


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
