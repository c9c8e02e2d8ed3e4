import doctest
import math
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from pipeline.results import embeddings
from pipeline.results.embeddings import Embeddings, Neighbor
from trainer_module.errors import InputError
from trainer_module.text.words import Tokenization

# Lengths 1, 5, 2, 5 and 5: cosines to `east` are 1, 3/5, 0, -1 and 4/5.
PLANE = Embeddings(
    ["east", "northeast", "north", "west", "eastnortheast"],
    np.array([[1, 0], [3, 4], [0, 2], [-5, 0], [4, 3]], np.float32),
)
# By their units a, b, c are the axes; b - a + c = (-1, 1, 1), of length sqrt 3.
SPACE = Embeddings(
    ["a", "b", "c", "right", "near", "far", "opposite"],
    np.array(
        [[9, 0, 0], [0, 5, 0], [0, 0, 7], [-2, 2, 2], [0, 1, 1], [-4, 0, 0], [3, -3, -3]],
        np.float32,
    ),
)


def shown(found: list[Neighbor]) -> list[tuple[str, float]]:
    return [(neighbor.token, round(neighbor.cosine, 5)) for neighbor in found]


class TestNeighbors:
    def test_are_ranked_by_cosine_without_the_word_itself(self):
        assert shown(PLANE.neighbors("east", 4)) == [
            ("eastnortheast", 0.8),
            ("northeast", 0.6),
            ("north", 0.0),
            ("west", -1.0),
        ]

    def test_of_another_word(self):
        # (3, 4) . (4, 3) / 25 = 24 / 25
        assert shown(PLANE.neighbors("northeast", 2)) == [("eastnortheast", 0.96), ("north", 0.8)]

    def test_no_more_than_the_other_tokens(self):
        assert len(PLANE.neighbors("east", 1_000_000)) == 4

    def test_a_vocabulary_of_one_has_none(self):
        assert Embeddings(["alone"], np.ones((1, 2), np.float32)).neighbors("alone", 3) == []

    def test_a_vector_of_zeros_is_near_nothing(self):
        vectors = Embeddings(["zero", "one"], np.array([[0, 0], [1, 0]], np.float32))
        assert shown(vectors.neighbors("one", 1)) == [("zero", 0.0)]
        assert shown(vectors.neighbors("zero", 1)) == [("one", 0.0)]

    def test_of_equally_near_ones_the_more_frequent_comes_first(self):
        names = [f"{kind}{row}" for row in range(100) for kind in ("near", "far")]
        rows = np.array([[1, 0], *[[1, 0], [0, 1]] * 100], np.float32)
        found = Embeddings(["x", *names], rows).neighbors("x", 200)
        assert [n.token for n in found[:100]] == [f"near{row}" for row in range(100)]
        assert [n.token for n in found[100:]] == [f"far{row}" for row in range(100)]

    def test_asking_does_not_change_the_answer(self):
        assert PLANE.neighbors("east", 4) == PLANE.neighbors("east", 4)


class TestAnalogy:
    def test_is_nearest_b_less_a_plus_c(self):
        # (0, 1, 1): 2 / sqrt(2) sqrt(3); (-1, 0, 0): 1 / sqrt(3).
        assert shown(SPACE.analogy("a", "b", "c", 4)) == [
            ("right", 1.0),
            ("near", round(math.sqrt(2 / 3), 5)),
            ("far", round(math.sqrt(1 / 3), 5)),
            ("opposite", -1.0),
        ]

    def test_leaves_out_the_three_words_asked_with(self):
        found = {neighbor.token for neighbor in SPACE.analogy("right", "right", "near", 100)}
        assert found == {"a", "b", "c", "far", "opposite"}

    def test_the_order_of_the_words_matters(self):
        # b is to a as c is to: (1, -1, 1); cosines to opposite, near, right, far: 1/3, 0, -1/3.
        found = shown(SPACE.analogy("b", "a", "c", 4))
        assert found == [
            ("opposite", 0.33333),
            ("near", 0.0),
            ("right", -0.33333),
            ("far", -0.57735),
        ]

    def test_an_unknown_word_is_named_whichever_it_is(self):
        for words in [("x1", "b", "c"), ("a", "x1", "c"), ("a", "b", "x1")]:
            with pytest.raises(InputError, match="'x1' is no token"):
                SPACE.analogy(*words, k=1)


class TestWords:
    def test_an_unknown_one_names_the_nearest(self):
        with pytest.raises(InputError) as caught:
            PLANE.neighbors("nort", 3)
        assert str(caught.value) == "'nort' is no token of the vocabulary; the nearest is north"

    def test_may_be_in_upper_case(self):
        assert PLANE.neighbors("EAST", 4) == PLANE.neighbors("east", 4)

    def test_that_differ_in_case_are_told_apart(self):
        vectors = Embeddings(["us", "US", "we"], np.array([[1, 0], [0, 1], [1, 0]], np.float32))
        assert shown(vectors.neighbors("us", 1)) == [("we", 1.0)]
        assert shown(vectors.neighbors("US", 1)) == [("us", 0.0)]


class TestAsTyped:
    """A word is looked up by the tokeniser of the model."""

    @pytest.mark.parametrize(
        ("typed", "token"),
        [
            ("DON\u2019T", "don't"),
            ("e\u0301tude", "étude"),
            ("E\u0301TUDE", "étude"),
            ("\u0130nci", "i\u0307nci"),
            ("ΟΔΟΣ", "οδος"),
            ("co\u00adoperate,", "cooperate"),
            ('צה"ל', "צה״ל"),
        ],
    )
    def test_in_unicode_words(self, typed: str, token: str):
        vectors = Embeddings([token, "other"], np.eye(2))
        assert vectors.vector(typed).tolist() == [1, 0]

    @pytest.mark.parametrize("typed", ["B00ABC", "b00abc!", "b00abc x"])
    def test_in_whitespace_as_it_is(self, typed: str):
        vectors = Embeddings(["b00abc"], np.eye(1), tokenization=Tokenization("whitespace"))
        with pytest.raises(InputError) as caught:
            vectors.neighbors(typed)
        assert str(caught.value).startswith(f"'{typed}' is no token of the vocabulary")

    def test_in_whitespace_in_either_encoding(self):
        vectors = Embeddings(["É!"], np.eye(1), tokenization=Tokenization("whitespace"))
        assert vectors.vector("E\u0301!").tolist() == [1]

    def test_without_normalization(self):
        none = Tokenization("unicode_words", "none")
        with pytest.raises(InputError):
            Embeddings(["é"], np.eye(1), tokenization=none).vector("e\u0301")

    def test_two_words_are_none(self):
        with pytest.raises(InputError, match="'new york' is no token"):
            Embeddings(["new", "york"], np.eye(2)).vector("new york")

    def test_the_folder_says_which_it_is(self, tmp_path: Path):
        Embeddings(["b00abc"], np.eye(1)).save_word2vec(tmp_path / "vectors.bin")
        assert Embeddings.load(tmp_path).vector("B00ABC").tolist() == [1]
        written = Tokenization("whitespace", "nfkc").to_json()
        (tmp_path / "tokenization.json").write_text(written)
        vectors = Embeddings.load(tmp_path)
        assert vectors.tokenization == ("whitespace", "nfkc")
        with pytest.raises(InputError):
            vectors.vector("B00ABC")


class TestFrequentWords:
    def test_skip_function_words_short_ones_and_numbers(self):
        tokens = ["the", "with", "of", "1999", "time", "wörld", "cat", "it's", "house", "last"]
        vectors = Embeddings(tokens, np.ones((10, 1), np.float32))
        # A quarter of ten, rounded down, is skipped: the, with.
        assert vectors.frequent_words(3) == ["time", "wörld", "house"]

    def test_no_more_than_two_hundred_are_skipped(self):
        letters = "abcdefghijklmnopqrstuvwxyz"
        tokens = [f"word{a}{b}{c}" for a in "ab" for b in letters for c in letters][:900]
        vectors = Embeddings(tokens, np.ones((900, 1), np.float32))
        assert vectors.frequent_words(1) == ["wordahs"]  # the 201st: 200 = 7 * 26 + 18

    def test_may_be_fewer_than_asked_for(self):
        assert Embeddings(["of"], np.ones((1, 1), np.float32)).frequent_words(5) == ["of"]

    def test_are_any_where_there_are_no_such_words(self):
        ids = [str(number) for number in range(12)]
        # A quarter of twelve is skipped.
        assert Embeddings(ids, np.ones((12, 1), np.float32)).frequent_words(2) == ["3", "4"]


class TestLoad:
    def test_gives_the_file_of_the_folder(self, tmp_path: Path):
        numbers = np.array([1, 0, 3, 4], "<f4")
        content = b"2 2\n" + b"x " + numbers[:2].tobytes() + b"\n"
        content += "é ".encode() + numbers[2:].tobytes() + b"\n"
        tmp_path.joinpath("vectors.bin").write_bytes(content)
        vectors = Embeddings.load(tmp_path)
        assert list(vectors.tokens) == ["x", "é"]
        assert shown(vectors.neighbors("x", 1)) == [("é", 0.6)]

    def test_without_vectors_says_what_to_do(self, tmp_path: Path):
        with pytest.raises(InputError) as caught:
            Embeddings.load(tmp_path / "vectors")
        assert str(caught.value).startswith(f"there are no vectors in {tmp_path}/vectors: run ")

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"there is no file .*other\.bin"):
            Embeddings.load(tmp_path / "other.bin")

    def test_knows_the_counts_of_a_folder(self, tmp_path: Path):
        PLANE.save_word2vec(tmp_path / "vectors.bin")
        counts = "".join(f"{token}\t{9 - row}\n" for row, token in enumerate(PLANE.tokens))
        (tmp_path / "vocabulary.tsv").write_text(f"token\tcount\n{counts}")
        assert Embeddings.load(tmp_path).counts.tolist() == [9, 8, 7, 6, 5]


class TestSaveWord2vec:
    @pytest.mark.parametrize("name", ["vectors.bin", "vectors.txt"])
    def test_is_loaded_again_by_us_and_by_gensim(self, tmp_path: Path, name: str):
        SPACE.save_word2vec(tmp_path / name)
        loaded = Embeddings.load(tmp_path / name)
        assert loaded.tokens == SPACE.tokens
        np.testing.assert_array_equal(loaded.vectors, SPACE.vectors)
        theirs = KeyedVectors.load_word2vec_format(tmp_path / name, binary=name.endswith(".bin"))
        np.testing.assert_array_equal(theirs.vectors, SPACE.vectors)
        assert [path.name for path in tmp_path.iterdir()] == [name]


class TestTokens:
    def test_are_counted_and_found(self):
        assert len(PLANE) == 5
        assert "east" in PLANE
        assert "EAST" not in PLANE

    def test_have_a_vector(self):
        assert PLANE.vector("northeast").tolist() == [3, 4]
        with pytest.raises(InputError, match="'x' is no token"):
            PLANE.vector("x")


def test_the_examples_run():
    found = doctest.testmod(embeddings)
    assert found.attempted > 0
    assert found.failed == 0
