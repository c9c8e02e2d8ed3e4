"""Which targets are drawn, and what a mean over pairs is with them: by simulation."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.saved_models import SETTINGS
from trainer_module.evaluation import target_sample
from trainer_module.evaluation.target_sample import BUCKETS, DrawnTargets, probabilities
from trainer_module.vocabulary import Vocabulary

Array = np.ndarray[Any, Any]


class TestProbabilities:
    def test_all_are_drawn_where_no_more_are_expected(self) -> None:
        # 1 - exp(-1) each: 63.2 of 100 occur.
        assert (probabilities(np.ones(100), 64) == 1).all()
        assert (probabilities(np.ones(100), 63) < 1).all()

    def test_by_hand(self) -> None:
        # All occur, with sizes 401, 101 and twenty times 21. Of 12 the two largest are certain, and
        # 10 are left for the twenty.
        found = probabilities(np.array([*[20.0] * 20, 400.0, 100.0]), 12)
        np.testing.assert_allclose(found, [*[0.5] * 20, 1, 1], rtol=1e-6)

    def test_a_target_that_hardly_occurs_counts_for_as_often_as_it_does(self) -> None:
        expected = np.array([50.0, *[1e-3] * 10_000])
        found = probabilities(expected, 4)
        # 9.995 of the rare ones occur, and the frequent one is certain.
        assert found[0] == 1
        np.testing.assert_allclose(found[1:], 3 / (-np.expm1(-1e-3) * 10_000), rtol=1e-6)

    @settings(max_examples=100)
    @given(
        expected=st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=60),
        max_targets=st.integers(1, 60),
    )
    def test_as_many_are_expected_as_may_be_summed(
        self, expected: list[float], max_targets: int
    ) -> None:
        counts = np.array(expected)
        found, occurring = probabilities(counts, max_targets), -np.expm1(-counts)
        assert ((found > 0) & (found <= 1)).all()
        if occurring.sum() > max_targets:
            assert found @ occurring == pytest.approx(max_targets, rel=1e-9)
            uncertain = found < 1
            rates = (found / (1 + counts))[uncertain]
            np.testing.assert_allclose(rates, rates[:1].repeat(len(rates)), rtol=1e-9)
            assert (found[~uncertain] / (1 + counts)[~uncertain] <= rates[:1].max(initial=1)).all()


def test_expected_occurrences_by_hand() -> None:
    vocabulary = Vocabulary([b"a", b"b"], np.array([75, 25]))
    found = target_sample.expected_occurrences(vocabulary, SETTINGS._replace(eval_fraction=0.1))
    np.testing.assert_allclose(found, [7.5, 2.5])
    thinned = SETTINGS._replace(eval_fraction=0.1, subsample=0.01)
    keep = [np.sqrt(0.01 / share) + 0.01 / share for share in (0.75, 0.25)]  # word2vec.c
    found = target_sample.expected_occurrences(vocabulary, thinned)
    np.testing.assert_allclose(found, [7.5 * keep[0], 2.5 * keep[1]])


@pytest.mark.parametrize("kind", ["sessions", "edges", "pairs"])
def test_pairs_that_are_held_out_have_a_target_each(kind: str) -> None:
    vocabulary = Vocabulary([b"a", b"b"], np.array([75, 25]))
    of_kind = SETTINGS._replace(kind=kind, held_out_pairs=8)
    found = target_sample.expected_occurrences(vocabulary, of_kind)
    np.testing.assert_allclose(found, [6, 2])


# Targets whose sums are known: two numbers each.
SIZE = 600
SUMS = np.random.default_rng(0).normal(3, 1, [SIZE, 2]).astype(np.float32)
EXPECTED = 300 / np.arange(1, SIZE + 1)
TOKENS = [f"token {n}".encode() for n in range(SIZE)]
# Documents with the targets of their pairs, as often as expected.
DOCUMENTS = 40
TARGETS = np.random.default_rng(1).choice(SIZE, 3000, p=EXPECTED / EXPECTED.sum()).astype(np.int32)
ROWS = np.random.default_rng(2).integers(0, DOCUMENTS, len(TARGETS))


def drawn(seed: int, max_targets: int, asked: list[Array] | None = None) -> DrawnTargets:
    def compute(targets: tf.Tensor) -> tf.Tensor:
        if asked is not None:
            asked.append(targets.numpy())
        return tf.gather(tf.constant(SUMS), targets)

    targets = DrawnTargets.all_of(SIZE, 2, compute)
    targets.draw(TOKENS, probabilities(EXPECTED, max_targets), seed=seed)
    return targets


def test_without_a_draw_the_sums_are_exact_and_each_is_computed_once() -> None:
    asked: list[Array] = []
    targets = drawn(1, SIZE, asked)
    for _ in range(2):
        found = targets(tf.constant(TARGETS))
        np.testing.assert_array_equal(found, SUMS[TARGETS])
        sketch = targets.sketch(found, tf.constant(TARGETS), tf.constant(ROWS), DOCUMENTS)
        assert sketch.shape == (DOCUMENTS, BUCKETS, 2)
        assert not sketch.numpy().any()
    assert sorted(np.concatenate(asked)) == sorted(set(TARGETS))


def test_what_stands_for_drawn_and_other_targets() -> None:
    asked: list[Array] = []
    targets = drawn(1, 100, asked)
    [pilots] = asked
    typical, shares = SUMS[pilots].mean(0), targets.probabilities.numpy()
    np.testing.assert_allclose(targets.typical, typical, rtol=1e-6)
    found = targets(tf.constant(TARGETS)).numpy()
    summed = set(np.concatenate(asked[1:]))
    assert 50 < len(summed) < 150
    for target, row in zip(TARGETS, found, strict=True):
        expected = typical
        if target in summed:
            expected = typical + (SUMS[target] - typical) / shares[target]
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-5)
    assert set(np.flatnonzero(shares == 1)) & set(TARGETS) <= summed


def test_a_sketch_is_the_signed_parts_of_the_targets_by_document() -> None:
    targets = drawn(1, 100)
    standing = targets(tf.constant(TARGETS))
    found = targets.sketch(standing, tf.constant(TARGETS), tf.constant(ROWS), DOCUMENTS).numpy()
    places, shares = targets.places.numpy(), targets.probabilities.numpy()
    expected = np.zeros([DOCUMENTS, BUCKETS, 2])
    for target, document, row in zip(TARGETS, ROWS, standing.numpy(), strict=True):
        sign = -1 if places[target] % 2 else 1
        part = np.sqrt(1 - shares[target]) * (row - targets.typical.numpy())
        expected[document, places[target] // 2] += sign * part
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_same_seed_draws_the_same_whatever_the_order_of_the_tokens() -> None:
    one, other = (DrawnTargets.all_of(SIZE, 2, lambda t: tf.gather(SUMS, t)) for _ in range(2))
    shares = np.full(SIZE, 0.3)
    one.draw(TOKENS, shares, seed=5)
    other.draw(TOKENS[::-1], shares, seed=5)
    np.testing.assert_array_equal(one.places, other.places[::-1])
    is_drawn = np.isnan(one.sums.numpy()[:, 0])
    np.testing.assert_array_equal(is_drawn, np.isnan(other.sums.numpy()[:, 0])[::-1])
    assert 0.2 < is_drawn.mean() < 0.4


def test_means_are_unbiased_and_as_far_off_as_their_errors_say() -> None:
    """By many seeds: 95 % of the means lie within 1.96 of their own standard errors."""
    pairs = np.bincount(TARGETS, minlength=SIZE)[:, np.newaxis]
    exact = SUMS[TARGETS].mean(0)
    found, errors = [], []
    for seed in range(400):
        targets = drawn(seed, 150)
        # Of all targets at once: the sum over pairs is one over targets.
        every = tf.range(SIZE)
        standing = targets(every)
        weighted = targets.typical + (standing - targets.typical) * pairs.astype(np.float32)
        sketch = targets.sketch(weighted, every, tf.zeros_like(every), 1)
        found.append((pairs * standing.numpy()).sum(0) / len(TARGETS))
        errors.append(np.linalg.norm(sketch.numpy()[0], axis=0) / len(TARGETS))
    off, said = np.array(found) - exact, np.array(errors)
    assert (abs(off.mean(0)) < 4 * off.std(0) / np.sqrt(len(off))).all()
    np.testing.assert_allclose(np.sqrt((said**2).mean(0)), off.std(0), rtol=0.2)
    covered = (abs(off) < 1.96 * said).mean(0)
    assert ((covered > 0.9) & (covered < 0.99)).all()
