"""The message catalogue: files of languages, and what is made of their messages."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltx_studio.settings import values
from ltx_studio.settings.values import WrongValueError
from ltx_studio.text import catalogue
from ltx_studio.text.catalogue import Catalogue, Template, counted, ordinal, translated
from ltx_studio.text.gettext_file import Entry, read_entries, written
from ltx_studio.web import words
from tools import messages

FILE = r"""
# A language with three plural forms, and two of a place.
msgid ""
msgstr ""
"Language: xx\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);\n"
"X-Ordinal-Forms: nplurals=2; plural=(n != 1);\n"

msgid "Stop"
msgstr "Halt"

msgctxt "STOP"
msgid "Stop"
msgstr "Stopp"

msgid "1 clip"
msgid_plural "{count} clips"
msgstr[0] "{count} klip"
msgstr[1] "{count} klipy"
msgstr[2] "{count} klipów"

msgid "{place}th"
msgid_plural "{place}th"
msgstr[0] "{place}er"
msgstr[1] "{place}e"

#. two parameters, which another language has the other way round
msgid "{name} is {format}, which is not supported."
msgstr "{format} wird nicht verstanden: {name}"

msgid "a \"quoted\" text"
msgstr "ein "
"\"Zitat\""

msgid "Waiting: {count} ahead"
msgstr "{number} zuvor"

#, fuzzy
msgid "Pause"
msgstr "Halt"

msgid "Resume"
msgstr ""

msgid "Retry"
msgstr "<b>Nochmal</b>"
"""


@pytest.fixture
def language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the language xx, which is in use."""
    monkeypatch.setattr(catalogue.Folder, "path", tmp_path)
    (tmp_path / "xx.po").write_text(FILE, encoding="utf-8")
    catalogue.use("xx")
    yield tmp_path
    catalogue.use(catalogue.ENGLISH)


@pytest.mark.usefixtures("language")
def test_messages_are_in_the_language_in_use() -> None:
    assert translated("Stop") == "Halt"
    assert translated('a "quoted" text') == 'ein "Zitat"'
    filled = "ball.txt is a PDF document, which is not supported."
    assert translated(filled) == "a PDF document wird nicht verstanden: ball.txt"
    assert words.STOP == "Stopp"  # as its constant has it
    assert (words.CANCEL, words.RESUME, words.PAUSE) == ("Cancel", "Resume", "Pause")  # missing, empty, fuzzy
    assert words.RETRY == "Retry"  # it had marks of HTML
    assert words.AHEAD.format(count=2) == "Waiting: 2 ahead"  # it had a parameter that the message does not have
    assert [*map(words.clips, (1, 2, 5))] == ["1 klip", "2 klipy", "5 klipów"]
    assert [*map(ordinal, (1, 2, 21))] == ["1er", "2e", "21e"]
    catalogue.use("en")

    assert (translated("Stop"), words.STOP, words.clips(1), words.clips(2)) == ("Stop", "Stop", "1 clip", "2 clips")
    assert [*map(ordinal, (1, 2, 3, 4, 11, 12, 22))] == ["1st", "2nd", "3rd", "4th", "11th", "12th", "22nd"]


def test_a_language_that_is_in_the_folder_is_offered(language: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "LANGUAGES", catalogue.languages())

    assert catalogue.languages() == ("en", "xx")
    assert values.language_code("xx") == "xx"
    with pytest.raises(WrongValueError) as refused:
        values.language_code("yy")
    assert "en, xx" in refused.value.hint
    (language / "yy.po").write_text("", encoding="utf-8")
    assert catalogue.languages() == ("en", "xx", "yy")


def test_a_damaged_file_is_logged_and_the_page_is_english(language: Path, caplog: pytest.LogCaptureFixture) -> None:
    (language / "zz.po").write_text('msgid "Stop"\nmsgstr Halt\n', encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        for code in ("zz", "missing", "xx"):
            catalogue.use(code)
            if code != "xx":
                assert (catalogue.language(), words.STOP) == ("en", "Stop")

    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the language zz cannot be read",
        "the language missing cannot be read",
        "xx",  # has a parameter that the message does not have
        "xx",  # has marks of HTML
    ]


def test_a_text_is_recognized_by_what_is_between_its_parameters() -> None:
    for message, text, wanted in (
        ("{a} is not a {b}.", "x is not a y.", {"a": "x", "b": "y"}),
        ("{a} is not a {b}.", "x is not a y. z.", {"a": "x", "b": "y. z"}),
        ("{a} is not a {b}.", "x is a y.", None),
        ("Only {a}, and {a}", "Only 1, and 1", {"a": "1"}),
        ('Write {"mode": "t2v"} there', 'Write {"mode": "t2v"} there', None),  # no parameter
        ("{{braces}} of {a} here", "{braces} of x here", {"a": "x"}),
        ("{a} × {b}", "1 × 2", None),  # no letters
        ("Nothing {a}{b} there", "Nothing at all there", {"a": "", "b": "at all"}),
    ):
        template = Template.of(message)
        assert (template.given(text) if template else None) == wanted, message


def test_a_file_is_read_as_it_was_written() -> None:
    entries = [
        Entry("", ["Language: xx\n"]),
        Entry('with "quotes", \\, \n and\ttabs ' + "and long " * 40, ["ü" * 300]),
        Entry("1 clip", ["a", "b"], "{count} clips"),
        Entry("Stop", ["Halt"], context="STOP"),
    ]
    assert [*read_entries(written(entries[1:], "Language: xx\n"))] == entries


def test_the_template_is_up_to_date() -> None:
    assert messages.TEMPLATE.read_text(encoding="utf-8") == messages.as_template(messages.messages()), (
        "run `make words`"
    )


def test_a_message_that_counts_falls_back_to_english() -> None:
    assert [counted("1 ball", "{count} balls", count) for count in (0, 1, 2)] == ["0 balls", "1 ball", "2 balls"]


@pytest.mark.usefixtures("language")
def test_what_a_language_lacks_is_listed() -> None:
    missing = messages.missing(Catalogue.read("xx"))

    assert {"Cancel", "Pause", "Resume", "Waiting: {count} ahead"} <= {*missing}
    assert {"Stop", "1 clip"} & {*missing} == set()


def test_all_of_the_shipped_languages_can_be_used(caplog: pytest.LogCaptureFixture) -> None:
    for code in catalogue.languages()[1:]:
        Catalogue.read(code)
    assert caplog.messages == []
