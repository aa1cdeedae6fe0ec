"""Options of the command line: what is accepted, and what is said about the rest."""

from typing import Any

import click
import pytest

from ltx_studio.cli.options import FileOf, NumberType, ValueOf


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (NumberType(), "1,5", "'1,5' has a decimal comma. Use a point: 1.5."),
        (NumberType(), "-,5", "'-,5' has a decimal comma. Use a point: -.5."),
        (NumberType(), "1,000,000", "'1,000,000' is not a number."),
        (NumberType(), "long", "'long' is not a number."),
        (FileOf(), "picture.png", "'picture.png' is not NAME=PATH, such as image=picture.png"),
        (ValueOf(), "7", "'7' is not FIELD=VALUE, such as Seed=7"),
    ],
)
def test_a_value_that_is_not_accepted_is_explained(kind: click.ParamType[Any], given: str, said: str) -> None:
    with pytest.raises(click.BadParameter) as error:
        kind.convert(given, None, None)

    assert error.value.message == said


def test_a_number_is_read() -> None:
    assert NumberType().convert("1.5", None, None) == 1.5
