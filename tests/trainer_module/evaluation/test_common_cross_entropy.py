"""The common cross-entropy: by hand, and beside NumPy over the definition."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import saved_models
from tests.trainer_module.evaluation import test_export
from trainer_module import features
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy, common_vocabulary
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.saved_model import ModelSettings, SavedModel
from trainer_module.vocabulary import Vocabulary

# Of the tokenizer that takes no time to trace.
SETTINGS = saved_models.SETTINGS._replace(tokenizer="whitespace", normalization="none")
SKETCHES = ("common_sketch", "common_sketch_of_last_blessed")
DOCUMENTS = [
    b"ape bee cow dog",
    b"bee elk",
    b"",
    b"gnu gnu",
    b"dog cow ape ape bee elk cow",
    b"elk",
]


def model(
    counts: dict[str, int],
    seed: int = 0,
    *,
    corrected: bool = False,
    settings: ModelSettings = SETTINGS,
) -> SavedModel:
    """One with drawn tables of three dimensions."""
    draw = np.random.default_rng(seed).normal
    size = len(counts)
    vocabulary = Vocabulary([token.encode() for token in counts], np.array([*counts.values()]))
    table, weights, biases, correction, unigram = (
        draw(size=shape).astype(np.float32) for shape in ((size, 3), (size, 3), size, size, size)
    )
    return SavedModel(
        settings, vocabulary, table, weights, biases, correction if corrected else None, unigram
    )


def sums(tonight: SavedModel, last: SavedModel, documents: Sequence[bytes] = DOCUMENTS) -> dict:
    found = asked(CommonCrossEntropy(*map(JudgedModel.of_tables, (tonight, last))), documents)
    for name in SKETCHES:
        assert not found.pop(name).any()  # all targets are summed
    assert set(found) == set(features.COMPARISON_OUTPUTS)
    return found


def asked(comparison: CommonCrossEntropy, documents: Sequence[bytes]) -> dict:
    found = comparison(tf.constant(documents), tf.zeros(len(documents), tf.int64))
    return {name: values.numpy() for name, values in found.items()}


def distribution(one: SavedModel, other: SavedModel, target: bytes) -> dict[bytes, float]:
    """p(c|t) of `one` over the tokens of both, by the definition; without subsampling."""
    shares = {
        token: max(
            float(v.frequencies[v.tokens.index(token)]) if token in v.tokens else 0.0
            for v in (one.vocabulary, other.vocabulary)
        )
        for token in {*one.vocabulary.tokens, *other.vocabulary.tokens}
    }
    classes = {token: share / sum(shares.values()) for token, share in shares.items()}
    tokens = one.vocabulary.tokens
    if target not in tokens:
        return classes
    unknown = sum(share for token, share in classes.items() if token not in tokens)
    vector = one.target_table[tokens.index(target)].astype(float) / one.settings.temperature
    scores = one.context_weights.astype(float) @ vector + one.corrected_biases
    softmax = np.exp(scores) / np.exp(scores).sum()
    known = {t: (1 - unknown) * p for t, p in zip(tokens, softmax, strict=True)}
    return {**classes, **known}


class TestCommonVocabulary:
    FIRST = Vocabulary([b"a", b"b"], np.array([3, 1]))
    SECOND = Vocabulary([b"c", b"a"], np.array([4, 1]))

    def test_by_hand(self) -> None:
        common = common_vocabulary(self.FIRST, self.SECOND, 0)
        assert common.tokens == [b"a", b"b", b"c"]
        assert [row.tolist() for row in common.rows] == [[0, 1, -1], [1, -1, 0]]
        # The larger shares are 3/4, 1/4 and 4/5: together 1.8.
        np.testing.assert_allclose(common.classes, np.array([0.75, 0.25, 0.8]) / 1.8)
        assert common.keep.tolist() == [1, 1, 1]
        assert common.unknown(0) == pytest.approx(0.8 / 1.8)
        assert common.unknown(1) == pytest.approx(0.25 / 1.8)

    def test_values_of_common_tokens_for_each_model(self) -> None:
        common = common_vocabulary(self.FIRST, self.SECOND, 0)
        assert common.of_model(0, np.array([5.0, 6.0, 7.0])).tolist() == [5, 6]
        assert common.of_model(1, np.array([5.0, 6.0, 7.0])).tolist() == [7, 5]

    def test_subsampling_thins_out_classes_as_it_does_pairs(self) -> None:
        common = common_vocabulary(self.FIRST, self.SECOND, 0.01)
        shares = np.array([0.75, 0.25, 0.8]) / 1.8
        keep = np.sqrt(0.01 / shares) + 0.01 / shares  # word2vec.c
        np.testing.assert_allclose(common.keep, keep)
        np.testing.assert_allclose(common.classes, shares * keep / (shares * keep).sum())

    def test_of_one_vocabulary_everything_is_known(self) -> None:
        common = common_vocabulary(self.FIRST, self.FIRST, 0)
        assert common.classes.tolist() == [0.75, 0.25]
        assert (common.unknown(0), common.unknown(1)) == (0, 0)


class TestByHand:
    # Scores of zero: each model's softmax is uniform over its own tokens.
    ONE = model({"a": 1, "b": 1})._replace(
        target_table=np.zeros((2, 3), np.float32), context_biases=np.zeros(2, np.float32)
    )
    TWO = model({"a": 2, "b": 1, "c": 1})._replace(
        target_table=np.zeros((3, 3), np.float32), context_biases=np.zeros(3, np.float32)
    )

    def test_sums_of_a_document(self) -> None:
        # Larger shares: a 1/2, b 1/2, c 1/4, so q is 2/5, 2/5, 1/5, and the first model, which does
        # not know c, has 4/5 of the probability to spend on a and b.
        found = sums(self.ONE, self.TWO, [b"a b", b"b c", b"x c b"])
        assert found["num_common_pairs"].tolist() == [2, 2, 2]
        assert found["common_known_pairs"].tolist() == [2, 0, 0]
        assert found["common_known_pairs_of_last_blessed"].tolist() == [2, 2, 2]
        of_known, of_b_and_c = 2 * math.log(5 / 2), math.log(5) + math.log(5 / 2)
        np.testing.assert_allclose(
            found["common_cross_entropy"], [of_known, of_b_and_c, of_b_and_c], rtol=1e-6
        )
        np.testing.assert_allclose(
            found["common_cross_entropy_of_last_blessed"], [2 * math.log(3)] * 3, rtol=1e-6
        )

    def test_the_other_way_round_the_figures_change_places(self) -> None:
        there, back = sums(self.ONE, self.TWO, [b"a b c"]), sums(self.TWO, self.ONE, [b"a b c"])
        assert there["num_common_pairs"] == back["num_common_pairs"]
        for name in ("common_cross_entropy", "common_known_pairs"):
            np.testing.assert_allclose(there[name], back[features.of_last_blessed(name)], rtol=1e-6)
            np.testing.assert_allclose(there[features.of_last_blessed(name)], back[name], rtol=1e-6)

    def test_given_pairs_are_counted_as_often_as_they_occur(self) -> None:
        of_sessions = self.ONE._replace(settings=SETTINGS._replace(kind="sessions", window=1))
        documents = [b"a b", b"a\tb", b"b\ta\t3", b"a\tc", b"c\tx"]
        found = sums(of_sessions, self.TWO, documents)
        assert found["num_common_pairs"].tolist() == [2, 1, 3, 1, 0]
        assert found["common_known_pairs"].tolist() == [2, 1, 3, 0, 0]
        # The shares are those of above.
        of_known, of_c = math.log(5 / 2), math.log(5)
        np.testing.assert_allclose(
            found["common_cross_entropy"],
            [2 * of_known, of_known, 3 * of_known, of_c, 0],
            rtol=1e-6,
        )


TOKENS = ["ape", "bee", "cow", "dog", "elk", "gnu"]
VOCABULARIES = st.dictionaries(
    st.sampled_from(TOKENS), st.integers(1, 9), min_size=1, max_size=len(TOKENS)
)


class TestBesideTheDefinition:
    @settings(max_examples=6)
    @given(VOCABULARIES, VOCABULARIES, st.booleans(), st.sampled_from([1.0, 0.5]))
    def test_each_pair(
        self, first: dict[str, int], second: dict[str, int], corrected: bool, temperature: float
    ) -> None:
        wide = SETTINGS._replace(window=1, temperature=temperature)
        tonight = model(first, 1, corrected=corrected, settings=wide)
        last = model(second, 2)
        known = sorted({*first, *second})
        # Of two tokens with a window of 1 there are the pairs (a, b) and (b, a).
        documents = [f"{a} {b}".encode() for a in known for b in known]
        found = sums(tonight, last, documents)
        assert set(found["num_common_pairs"].tolist()) == {2}
        for name, one, other in (
            ("common_cross_entropy", tonight, last),
            ("common_cross_entropy_of_last_blessed", last, tonight),
        ):
            p = {token.encode(): distribution(one, other, token.encode()) for token in known}
            for of_target in p.values():
                assert sum(of_target.values()) == pytest.approx(1)
            expected = [
                -math.log(p[a][b]) - math.log(p[b][a])
                for a, b in (document.split() for document in documents)
            ]
            np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)

    def test_dropping_words_does_not_pay(self) -> None:
        """A model is held against itself with fewer words: by its own figure it became better."""
        counts = {"ape": 40, "bee": 20, "cow": 10, "dog": 5, "elk": 5}
        zero = np.zeros((5, 3), np.float32)
        biases = np.log(np.array([*counts.values()]) / 80).astype(np.float32)
        whole = model(counts)._replace(target_table=zero, context_biases=biases)
        cut = SavedModel(
            SETTINGS,
            Vocabulary(whole.vocabulary.tokens[:2], whole.vocabulary.counts[:2]),
            *(table[:2] for table in (zero, whole.context_weights, biases)),
            None,
            whole.unigram[:2],
        )
        documents = [
            " ".join(
                np.random.default_rng(n).choice(
                    list(counts), 30, p=np.array([*counts.values()]) / 80
                )
            ).encode()
            for n in range(50)
        ]
        found = sums(cut, whole, documents)
        means = [
            found[name].sum() / found["num_common_pairs"].sum()
            for name in ("common_cross_entropy", "common_cross_entropy_of_last_blessed")
        ]
        assert means[0] > means[1] - 0.02


@pytest.mark.parametrize("objective", ["nce", "softmax_cross_entropy"])
def test_with_one_vocabulary_it_is_the_full_softmax_cross_entropy(
    objective: str, tmp_path: Path
) -> None:
    """Of an exported model: the figure that its own evaluate signature gives."""
    transform = test_export.transform(tmp_path / "made", "windows")
    settings = saved_models.SETTINGS._replace(
        subsample=0, window=1, temperature=test_export.OBJECTIVES[objective][2]
    )
    folder = test_export.save(transform, tmp_path, objective, settings)
    texts = [*test_export.CORPUS, "cow dog dog", "", "unknown", "bee, ape!"]
    loaded = tf.saved_model.load(folder)
    full = test_export.call(
        loaded, "evaluate", examples=[test_export.example(text) for text in texts]
    )
    exported = saved_model.read(folder)
    found = sums(exported, exported, [text.encode() for text in texts])
    np.testing.assert_array_equal(found["num_common_pairs"], full["num_pairs"])
    for name in ("common_cross_entropy", "common_cross_entropy_of_last_blessed"):
        np.testing.assert_allclose(found[name], full["softmax_cross_entropy"], atol=1e-4)


MANY = [f"t{n}" for n in range(400)]
COUNTS = {token: 400 - n for n, token in enumerate(MANY)}
TEXTS = [" ".join(np.random.default_rng(n).choice(MANY, 30)).encode() for n in range(60)]


class Sampling:
    """Tonight's model beside another one, traced once for all draws."""

    def __init__(self, other: SavedModel):
        settings = SETTINGS._replace(eval_fraction=0.5)
        tonight = model(COUNTS, 1, settings=settings)
        self.comparison = CommonCrossEntropy(*map(JudgedModel.of_tables, (tonight, other)))

    def draw(self, seed: int, max_targets: int) -> None:
        settings = self.comparison._settings
        # The seed of the draws alone: the pairs stay the same.
        self.comparison._settings = settings._replace(seed=seed)
        self.comparison.draw(max_targets)
        self.comparison._settings = settings

    def difference(self) -> tuple[float, float]:
        """By how much tonight's model is worse, and its error by the sketches."""
        found = asked(self.comparison, TEXTS)
        loss = found["common_cross_entropy"] - found["common_cross_entropy_of_last_blessed"]
        sketch = found[SKETCHES[0]] - found[SKETCHES[1]]
        pairs = found["num_common_pairs"].sum()
        return float(loss.sum() / pairs), float(np.linalg.norm(sketch.sum(0)) / pairs)


class TestSampledTargets:
    def test_of_one_model_twice_nothing_is_left_open(self) -> None:
        same = Sampling(model(COUNTS, 1))
        same.draw(1, 40)
        assert same.difference() == pytest.approx((0, 0), abs=1e-6)

    def test_the_difference_is_within_its_errors(self) -> None:
        sampling = Sampling(model({**COUNTS, "other": 1}, 2))
        exact, none = sampling.difference()
        assert none == 0
        found = []
        for seed in range(1, 13):
            sampling.draw(seed, 100)
            found.append(sampling.difference())
        assert min(error for _, error in found) > 1e-4
        assert max(abs(difference - exact) / error for difference, error in found) < 3.5
