import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.results.words.tokens import TokenRows, largest
from trainer_module.text.words import Tokenization


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), max_size=20), st.integers(-1, 25))
def test_the_largest_are_those_of_a_whole_sort(figures: list[float], k: int) -> None:
    expected = sorted(range(len(figures)), key=lambda place: -figures[place])[: max(k, 0)]
    assert largest(np.array(figures, np.float32), k).tolist() == expected


@pytest.mark.parametrize(
    ("word", "row"),
    [("sea", 0), ("SEA", 0), (" sea! ", 0), ("sea wind", None), ("", None), ("wind", 1)],
)
def test_a_word_is_found_by_the_one_token_that_it_is(word: str, row: int | None) -> None:
    assert TokenRows(["sea", "wind"], Tokenization()).find(word) == row


def test_where_blanks_cut_a_word_is_taken_as_it_is() -> None:
    rows = TokenRows(["sea", "Sea"], Tokenization("whitespace", "nfc"))
    assert [rows.find(word) for word in ("sea", "Sea", "SEA")] == [0, 1, None]
