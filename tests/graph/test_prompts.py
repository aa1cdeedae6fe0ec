import pytest

from ltx_studio.graph.prompts import settle


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a red ball", "a red ball"),
        ("a {red|blue} ball", "a red ball"),
        ("a {red|blue} {ball|cube}", "a red ball"),
        ("a {very {big|small}|plain} ball", "a very big ball"),
        ("a {plain|very {big|small}} ball", "a plain ball"),
        ("an {|empty} choice", "an  choice"),
        ("one {choice}", "one choice"),
        ("never {closed", "never closed"),
        ("never opened}", "never opened}"),
        (r"kept \{braces\} and \| bars", "kept {braces} and | bars"),
        (r"in a block {a\|b|c}", "in a block a|b"),
        (r"other \n backslashes", r"other \n backslashes"),
        ("a ball // a comment\nrolls", "a ball \nrolls"),
        ("a ball /* two\nlines */ rolls", "a ball  rolls"),
        ("", ""),
    ],
)
def test_means_what_the_editor_queues(written: str, meant: str) -> None:
    assert settle(written) == meant
