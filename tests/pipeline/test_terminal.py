import doctest
import io
import sys

import pytest
from rich.table import Table

from pipeline import terminal


class TestShown:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\x1b[2J", r"\x1b[2J"),
            ("\x9b31m", r"\x9b31m"),  # one byte less than ESC [
            ("a\tb\nc\r", r"a\tb\nc\r"),
            ("\x00\x07\x08\x7f\x85", r"\x00\x07\x08\x7f\x85"),
            ("\u202eabc\u2066", r"\u202eabc\u2066"),  # reads from right to left
            ("\u200e\u200f\u061c\ufeff\u2060\u00ad", r"\u200e\u200f\u061c\ufeff\u2060\xad"),
            ("a\u2028b\u2029", r"a\u2028b\u2029"),
            ("\U000e0041", r"\U000e0041"),  # tags: text that nobody sees
            ("name\udcff", r"name\udcff"),  # a byte of a name that is not UTF-8
        ],
    )
    def test_what_steers_a_terminal_or_is_not_seen(self, text, shown):
        assert terminal.shown(text) == shown
        assert terminal.shown(shown) == shown

    @pytest.mark.parametrize(
        "text",
        [
            *["", "a b", "C:\\x1b", "caf\u00e9", "\u65e5\u672c", "e\u0301", "\u2764\ufe0f"],
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with ZWNJ
            "\u0d9a\u0dca\u200d\u0dbb",  # Sinhala, with ZWJ
            "\U0001f469\u200d\U0001f467",
        ],
    )
    def test_what_people_write_stays(self, text):
        assert terminal.shown(text) == text

    def test_lines_stay_where_they_are_ours(self):
        assert terminal.shown_lines("a\n  b\x1b\n") == "a\n  b\\x1b\n"

    def test_its_examples_run(self):
        found = doctest.testmod(terminal)
        assert found.attempted
        assert not found.failed


WIDE = "a word that nobody may break, " * 20


class TestConsole:
    @pytest.fixture
    def pipe(self, monkeypatch, capsys):
        """What was printed, as to a pipe."""
        monkeypatch.delenv("COLUMNS", raising=False)
        return lambda: capsys.readouterr().out

    def test_on_a_pipe_a_table_takes_the_width_that_it_needs(self, pipe):
        table = Table()
        table.add_row(WIDE, WIDE)
        terminal.console().print(table)
        [row] = [line for line in pipe().splitlines() if "word" in line]
        assert row.count(WIDE.strip()) == 2

    def test_asked_for_a_width_it_keeps_to_it(self, pipe, monkeypatch):
        monkeypatch.setenv("COLUMNS", "50")
        table = Table()
        table.add_row(WIDE)
        terminal.console().print(table)
        assert max(map(len, pipe().splitlines())) == 50


def test_what_an_encoding_lacks_is_printed_by_its_number(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    terminal.print_what_can_be_printed()
    print("caf\u00e9 \u65e5")
    sys.stdout.flush()
    assert written.getvalue() == rb"caf\xe9 \u65e5" + b"\n"
