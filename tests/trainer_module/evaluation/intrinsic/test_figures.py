"""By hand, by a plain reference, and against gensim on vectors that learnt something."""

import doctest
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors, Word2Vec
from gensim.test.utils import datapath
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.errors import InputError
from trainer_module.evaluation.intrinsic import figures
from trainer_module.evaluation.intrinsic.figures import (
    AnalogyFigures,
    KnownWords,
    SimilarityFigures,
    analogies_figures,
    answers,
    similarity_figures,
)
from trainer_module.evaluation.intrinsic.sets import (
    Judgement,
    Question,
    read_analogies,
    read_similarity,
)
from trainer_module.text.words import Tokenization

ROYALS = KnownWords(
    ["man", "woman", "king", "queen", "stone"],
    [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 0, -1]],
)


def test_examples_run() -> None:
    found = doctest.testmod(figures)
    assert (found.failed, found.attempted) == (0, 2)


class TestSimilarity:
    def test_by_hand(self) -> None:
        """Cosines 1/sqrt 2, 0 and -1/sqrt 2 to scores 2, 3 and 1: ranks 3 2 1 to 2 3 1.

        The squares of their differences are 1, 1 and 0: 1 - 6 * 2 / (3 * 8) = 0.5.
        """
        judgements = [
            Judgement("man", "woman", 2),
            Judgement("man", "stone", 3),
            Judgement("Stone", "KING", 1),
            Judgement("man", "emperor", 9),
            Judgement("man of stone", "man", 9),
        ]
        assert similarity_figures(judgements, ROYALS, "it") == SimilarityFigures(0.5, 5, 3)

    def test_equal_scores_share_a_rank(self) -> None:
        """Ranks 2 and 3 are 2.5 both; of 1, 2.5, 2.5 to 1, 2, 3 the correlation is sqrt 3 / 2."""
        judgements = [
            Judgement("stone", "king", 0),
            Judgement("stone", "man", 5),
            Judgement("man", "woman", 5),
        ]
        found = similarity_figures(judgements, ROYALS, "it")
        assert found.spearman == pytest.approx(math.sqrt(3) / 2, abs=1e-12)

    @pytest.mark.parametrize(
        ("judgements", "known"),
        [
            ([Judgement("man", "emperor", 1)], "1 pairs .*'sets/it.txt' .* 0 with"),
            ([Judgement("man", "king", 1), Judgement("x", "y", 2)], "2 pairs .* 1 with"),
            ([Judgement("man", "king", 1), Judgement("man", "stone", 1)], "2 with"),
            ([Judgement("man", "king", 1), Judgement("king", "man", 2)], "2 with"),
        ],
        ids=["none known", "one known", "one score", "one cosine"],
    )
    def test_of_which_nothing_can_be_said_is_refused(
        self, judgements: list[Judgement], known: str
    ) -> None:
        with pytest.raises(InputError, match=f"{known} all their words, which tells nothing"):
            similarity_figures(judgements, ROYALS, "sets/it.txt")


class TestAnalogies:
    def test_by_hand(self) -> None:
        """By 3CosAdd: cosines with king - man + woman are queen's 1.3, above all others."""
        sections = {
            "royals": [
                Question("Man", "King", "Woman", "Queen"),
                Question("man", "king", "woman", "stone"),
                Question("man", "king", "woman", "empress"),
            ],
            "others": [Question("x", "y", "z", "w")],
        }
        found = analogies_figures(sections, ROYALS, "it")
        assert (found.cos_add, found.cos_mul) == (0.5, 0.5)
        assert (found.questions, found.known_questions) == (4, 2)
        assert found.sections == {
            "royals": AnalogyFigures(0.5, 0.5, 3, 2),
            "others": AnalogyFigures(None, None, 1, 0),
        }

    def test_the_two_methods_can_differ(self) -> None:
        """One cosine of 0.9 wins the sum, 0.9 to 0.5 + 0.5 - 0.15, and loses the product.

        That is 1.9 * 1 / 1 = 1.9 to 1.5 * 1.5 / 1.15 = 1.957.
        """
        a, b, c, _ = np.eye(4)
        one_large = [0, 0.9, 0, math.sqrt(1 - 0.81)]
        two_fair = [0.15, 0.5, 0.5, math.sqrt(1 - 0.0225 - 0.5)]
        vectors = np.array([a, b, c, one_large, two_fair], np.float32)
        assert answers(vectors, np.array([[0, 1, 2]])).tolist() == [[3, 4]]

    def test_the_words_of_the_question_do_not_answer(self) -> None:
        rows = np.array([[0, 0, 1], [0, 1, 1]])
        vectors = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
        assert answers(vectors, rows).tolist() == [[2, 2], [2, 2]]

    def test_where_there_is_no_other_token_nothing_is_right(self) -> None:
        known = KnownWords(["a", "b"], [[1, 0], [0, 1]])
        found = analogies_figures({"one": [Question("a", "b", "a", "a")]}, known, "it")
        assert (found.cos_add, found.cos_mul, found.known_questions) == (0.0, 0.0, 1)

    def test_of_equals_the_most_frequent_one_answers(self) -> None:
        vectors = np.array([[1, 0], [0, 1], [1, 1], [1, 1]], np.float32)
        assert answers(vectors, np.array([[0, 1, 0]])).tolist() == [[2, 2]]

    def test_of_which_nothing_is_known_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"of the 1 questions .* 'it.txt' the vocabulary"):
            analogies_figures({"one": [Question("a", "b", "c", "d")]}, ROYALS, "it.txt")


def by_definition(vectors: np.ndarray, questions: Any) -> list[list[int]]:
    """3CosAdd and 3CosMul, token by token, in double precision."""
    table = np.asarray(vectors, np.float64)
    units = [row / (np.linalg.norm(row) or 1.0) for row in table]
    found = []
    for a, b, c, *_ in np.asarray(questions).tolist():
        best = {"add": (-math.inf, -1), "mul": (-math.inf, -1)}
        for row, unit in enumerate(units):
            if row in (a, b, c):
                continue
            of_a, of_b, of_c = (float(unit @ units[word]) for word in (a, b, c))
            scores = {
                "add": of_b - of_a + of_c,
                "mul": (1 + of_b) / 2 * (1 + of_c) / 2 / ((1 + of_a) / 2 + 1e-6),
            }
            for name, score in scores.items():
                if score > best[name][0]:
                    best[name] = score, row
        found.append([best["add"][1], best["mul"][1]])
    return found


@given(st.integers(0, 2**32 - 1), st.integers(4, 40), st.integers(1, 30), st.integers(1, 7))
def test_answers_are_those_of_the_definition_however_the_tables_are_cut(
    seed: int, size: int, number: int, columns: int
) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=[size, 5]).astype(np.float32)
    questions = random.integers(0, size, size=[number, 3])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "_MOST_COLUMNS", columns)
        patch.setattr(figures, "_COSINES_IN_CACHE", 3 * columns)
        found = answers(vectors, questions)
    assert found.tolist() == by_definition(vectors, questions)


@pytest.fixture(scope="module")
def learnt() -> KeyedVectors:
    """Vectors that know something of the words in gensim's evaluation sets."""
    words = sorted(
        {
            word.lower()
            for section in read_analogies(datapath("questions-words.txt")).values()
            for question in section[:40]
            for word in question
        }
        | {
            word.lower()
            for judgement in read_similarity(datapath("wordsim353.tsv"))[:200]
            for word in judgement[:2]
        }
    )
    random = np.random.default_rng(1)
    # Neighbours in the alphabet occur together, and so do those at a distance.
    documents = [
        [words[(start + step) % len(words)] for step in random.integers(0, 30, size=20)]
        for start in random.integers(0, len(words), size=3_000)
    ]
    model = Word2Vec(documents, sg=1, vector_size=16, min_count=1, epochs=3, workers=1, seed=1)
    vectors: KeyedVectors = model.wv
    return vectors


def known_words(vectors: KeyedVectors, tokenization: Tokenization | None = None) -> KnownWords:
    return KnownWords(vectors.index_to_key, vectors.vectors, tokenization or Tokenization())


class TestAgainstGensim:
    @pytest.mark.parametrize("file", ["wordsim353.tsv", "simlex999.txt"])
    def test_similarity(self, learnt: KeyedVectors, file: str) -> None:
        path = datapath(file)
        _, spearman, unknown_percent = learnt.evaluate_word_pairs(path)
        found = similarity_figures(read_similarity(path), known_words(learnt), path)
        assert found.spearman == pytest.approx(float(spearman[0]), abs=1e-9)
        unknown = 100 * (1 - found.known_pairs / found.pairs)
        assert unknown == pytest.approx(unknown_percent)
        assert 0 < found.known_pairs < found.pairs

    def test_analogies_by_section(self, learnt: KeyedVectors) -> None:
        path = datapath("questions-words.txt")
        score, sections = learnt.evaluate_word_analogies(path)
        found = analogies_figures(read_analogies(path), known_words(learnt), path)
        assert found.cos_add == score
        assert 0 < score < 1
        of_gensim = {
            it["section"]: (len(it["correct"]), len(it["correct"]) + len(it["incorrect"]))
            for it in sections
        }
        total = of_gensim.pop("Total accuracy")
        assert (round((found.cos_add or 0) * found.known_questions), found.known_questions) == total
        assert {
            name: (round((it.cos_add or 0) * it.known_questions), it.known_questions)
            for name, it in found.sections.items()
        } == of_gensim

    def test_tokens_as_they_are_written(self, learnt: KeyedVectors) -> None:
        """`whitespace` keeps the case, so the figures are those of case_insensitive=False."""
        path = datapath("questions-words.txt")
        score, sections = learnt.evaluate_word_analogies(path, case_insensitive=False)
        known = known_words(learnt, Tokenization("whitespace", "none"))
        found = analogies_figures(read_analogies(path), known, path)
        total = sections[-1]
        assert found.cos_add == score
        assert found.known_questions == len(total["correct"]) + len(total["incorrect"])
        everything = analogies_figures(read_analogies(path), known_words(learnt), path)
        assert found.known_questions < everything.known_questions

    def test_the_most_frequent_tokens_alone_are_known(
        self, learnt: KeyedVectors, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        most = len(learnt) // 2
        monkeypatch.setattr(figures, "MOST_KNOWN", most)
        path = datapath("questions-words.txt")
        score, sections = learnt.evaluate_word_analogies(path, restrict_vocab=most)
        found = analogies_figures(read_analogies(path), known_words(learnt), path)
        assert found.cos_add == score
        total = sections[-1]
        assert found.known_questions == len(total["correct"]) + len(total["incorrect"]) > 0
        pairs = datapath("wordsim353.tsv")
        _, spearman, _ = learnt.evaluate_word_pairs(pairs, restrict_vocab=most)
        known = known_words(learnt)
        spearman_of_ours = similarity_figures(read_similarity(pairs), known, pairs).spearman
        assert spearman_of_ours == pytest.approx(float(spearman[0]), abs=1e-9)

    def test_3cosmul(self, learnt: KeyedVectors) -> None:
        known = known_words(learnt)
        questions = read_analogies(datapath("questions-words.txt")).values()
        rows = known.rows(list(itertools.chain.from_iterable(it[:20] for it in questions)))
        rows = rows[(rows >= 0).all(1)]
        words = learnt.index_to_key
        expected = [_by_gensim(learnt, [words[row] for row in question]) for question in rows]
        assert [words[row] for row in answers(known.vectors, rows)[:, 1]] == expected


def _by_gensim(vectors: KeyedVectors, question: Sequence[str]) -> str:
    a, b, c, _ = question
    [(word, _)] = vectors.most_similar_cosmul(positive=[b, c], negative=[a], topn=1)
    return str(word)
