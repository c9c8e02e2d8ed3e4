import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline.results.words import answers
from pipeline.results.words.answers import ANALOGIES, CONTEXTS, NEIGHBORS, Answer

CONTROLS, SHOWN = "\x1b[2Ja\u202eb", r"\x1b[2Ja\u202eb"
TEXT = st.text(max_size=5)


def lines(what: Any) -> list[str]:
    """Printed, without its frame."""
    console = Console(file=io.StringIO(), width=200)
    console.print(what)
    return [line.strip() for line in console.file.getvalue().splitlines()]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]]


def test_a_table_has_tokens_with_figures() -> None:
    found = Answer(("king",), [("queen", 0.81266), ("größe", -1.0)])
    _, header, _, *rows, _ = lines(answers.table(NEIGHBORS, found))
    assert cells(header) == ["king", "cosine"]
    assert list(map(cells, rows)) == [["queen", "0.813"], ["größe", "-1.000"]]


def test_its_heading_says_what_was_asked() -> None:
    of_analogy = answers.table(ANALOGIES, Answer(("man", "king", "woman"), [("queen", 0.8)]))
    assert cells(lines(of_analogy)[1])[0] == "man is to king as woman is to"
    of_contexts = answers.table(CONTEXTS, Answer(("sea",), [("ship", 0.01239)]))
    assert cells(lines(of_contexts)[1]) == ["contexts of sea", "probability"]
    assert cells(lines(of_contexts)[3]) == ["ship", "0.0124"]


@pytest.mark.parametrize("token", ["[b]", "[/b]", "[/]", "[red]x[/red]", ":heart:", "a{0}", "\\["])
def test_tokens_are_shown_as_they_are(token: str) -> None:
    _, header, _, row, _ = lines(answers.table(NEIGHBORS, Answer((token,), [(token, 0.5)])))
    assert cells(header) == [token, "cosine"]
    assert cells(row) == [token, "0.500"]


def test_no_token_steers_a_terminal() -> None:
    found, unknown = Answer((CONTROLS,), [(CONTROLS, 0.5)]), Answer((CONTROLS,), [], CONTROLS)
    texts = [
        *("\n".join(lines(answers.table(NEIGHBORS, answer))) for answer in (found, unknown)),
        "".join(answers.tsv_lines(NEIGHBORS, [found, unknown])),
    ]
    assert all(SHOWN in text.replace("\\\\", "\\") for text in texts)
    assert not any({"\x1b", "\u202e"} & set(text) for text in texts)
    assert "".join(answers.json_parts(NEIGHBORS, [found, unknown])).isascii()


@given(st.lists(st.tuples(TEXT, st.lists(st.tuples(TEXT, st.floats(-1, 1, width=32)), max_size=3))))
def test_json_and_tsv_hold_all_whatever_the_tokens(given_: list[tuple[str, Any]]) -> None:
    all_ = [Answer((word,), found) for word, found in given_]
    read = json.loads("".join(answers.json_parts(NEIGHBORS, all_)))
    assert [(entry["word"], entry["neighbors"]) for entry in read] == [
        (
            word,
            [
                {"token": token, "cosine": pytest.approx(cosine, rel=1e-5)}
                for token, cosine in found
            ],
        )
        for word, found in given_
    ]
    written = "".join(answers.tsv_lines(NEIGHBORS, all_))
    assert written.count("\n") == 1 + sum(len(found) for _, found in given_)
    assert {line.count("\t") for line in written.split("\n")[:-1]} == {2}
