from collections.abc import Callable
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.objectives import candidate_sampling, distributions
from trainer_module.objectives.candidate_sampling import SampledCandidates, Sampler


def seed_of(number: int) -> tf.Tensor:
    return tf.constant([number, 7], tf.int64)


def log_uniform(vocabulary_size: int, *, replacement: bool = False) -> Sampler:
    probabilities = distributions.log_uniform_probabilities(vocabulary_size)
    return Sampler(probabilities, replacement=replacement)


def repeat(
    draw: Callable[[tf.Tensor], SampledCandidates], repeats: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """`[repeats, num_sampled]` classes and `[repeats]` numbers of tries."""

    def once(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tuple(draw(tf.stack([number, tf.constant(1, tf.int64)])))

    signature = (tf.int64, tf.int64)
    numbers = tf.range(repeats, dtype=tf.int64)
    mapped = tf.function(lambda: tf.map_fn(once, numbers, fn_output_signature=signature))()
    return mapped[0].numpy(), mapped[1].numpy()


def mean_counts(classes: npt.NDArray[np.int64], vocabulary_size: int) -> npt.NDArray[np.float64]:
    return np.bincount(classes.ravel(), minlength=vocabulary_size) / len(classes)


def test_expected_count_by_hand() -> None:
    sampler = Sampler(np.array([0.5, 0.1, 0.2, 0.2]), replacement=False)
    three = tf.constant([0, 1, 2], tf.int64)
    # Four draws gave three distinct ones: 1 - 0.5^4 and 1 - 0.9^4.
    pairs = tf.constant([[0], [1]], tf.int64)
    repeated = sampler.expected_count(pairs, SampledCandidates(three, tf.constant(4, tf.int64)))
    assert repeated.dtype == tf.float32
    np.testing.assert_allclose(repeated, [[0.9375], [0.3439]], rtol=1e-6)
    # No draw repeated another: 3 p, as TensorFlow's samplers have it.
    direct = sampler.expected_count(pairs, SampledCandidates(three, tf.constant(3, tf.int64)))
    np.testing.assert_allclose(direct, [[1.5], [0.3]], rtol=1e-6)


def test_expected_count_with_replacement_is_that_of_one_set() -> None:
    sampler = Sampler(np.array([0.5, 0.1, 0.4]), replacement=True)
    drawn = sampler.draw_for_each(tf.constant(7), 5, seed_of(0))
    counts = sampler.expected_count(tf.constant([0, 1], tf.int64), drawn)
    np.testing.assert_allclose(counts, [2.5, 0.5], rtol=1e-6)


@pytest.mark.parametrize("num_sampled", [2, 10, 40])
def test_expected_counts_are_those_of_tensorflows_sampler(num_sampled: int) -> None:
    # It does not say how many tries it took, so they are read off class 0: 1 - (1 - p)^tries.
    vocabulary_size = 50
    sampler = log_uniform(vocabulary_size)
    classes = tf.range(vocabulary_size, dtype=tf.int64)
    theirs = tf.random.log_uniform_candidate_sampler(
        classes[:, tf.newaxis], 1, num_sampled, True, vocabulary_size, seed=3
    )
    counts = theirs.true_expected_count.numpy()[:, 0].astype(np.float64)
    rarest = distributions.log_uniform_probabilities(vocabulary_size)[-1]
    direct = np.isclose(counts[-1], num_sampled * rarest, rtol=1e-5)
    tries = num_sampled if direct else round(np.log1p(-counts[-1]) / np.log1p(-rarest))
    drawn = SampledCandidates(theirs.sampled_candidates, tf.constant(tries, tf.int64))
    np.testing.assert_allclose(sampler.expected_count(classes, drawn), counts, rtol=1e-4)


def test_distinct_draws_are_those_of_tensorflows_sampler() -> None:
    vocabulary_size, num_sampled, repeats = 50, 10, 2000
    sampler = log_uniform(vocabulary_size)
    all_classes = tf.range(vocabulary_size, dtype=tf.int64)
    classes, tries = repeat(lambda seed: sampler.draw(num_sampled, seed), repeats)

    @tf.function
    def theirs() -> tuple[tf.Tensor, tf.Tensor]:
        sampled, counts, _ = tf.random.log_uniform_candidate_sampler(
            all_classes[:, tf.newaxis], 1, num_sampled, True, vocabulary_size, seed=5
        )
        return sampled, counts[:, 0]

    results = [theirs() for _ in range(repeats)]
    their_shares = mean_counts(np.array([sampled for sampled, _ in results]), vocabulary_size)
    their_expected = np.mean([counts for _, counts in results], axis=0)
    expected = np.mean(
        [
            sampler.expected_count(all_classes, SampledCandidates(classes[0], tf.constant(some)))
            for some in tries[:500]
        ],
        axis=0,
    )
    shares = mean_counts(classes, vocabulary_size)
    # The standard error of a share of 2,000 draws is at most 0.011.
    np.testing.assert_allclose(shares, their_shares, atol=0.06)
    np.testing.assert_allclose(expected, their_expected, atol=0.03)
    # An expected count takes the number of tries as given, so it is near the share, not equal.
    np.testing.assert_allclose(shares, expected, atol=0.15)


def test_frequencies_with_replacement_are_the_expected_counts() -> None:
    sampler = log_uniform(20, replacement=True)
    drawn = sampler.draw_for_each(tf.constant(20_000), 8, seed_of(1))
    expected = sampler.expected_count(tf.range(20), drawn)
    # The standard error of a mean count is at most sqrt(8 * 0.25 / 20,000) = 0.01.
    np.testing.assert_allclose(mean_counts(drawn.classes.numpy(), 20), expected, atol=0.05)


@pytest.mark.parametrize(
    "probabilities", [[0.4, 0.3, 0.2, 0.1], [0.98, 0.01, 0.006, 0.004]], ids=["even", "uneven"]
)
def test_order_and_tries_of_distinct_draws_are_those_of_single_draws(
    probabilities: list[float],
) -> None:
    # The uneven ones leave nearly every block short, so that they are tests of the race.
    p = np.array(probabilities)
    sampler, repeats = Sampler(p, replacement=False), 10_000
    classes, tries = repeat(lambda seed: sampler.draw(3, seed), repeats)
    expected_tries = 0.0
    for a, b, c in permutations(range(4), 3):
        # Each next class is drawn from those left, after 1 / (their mass) draws on average.
        left, still_left = 1 - p[a], 1 - p[a] - p[b]
        chance = p[a] * p[b] / left * p[c] / still_left
        expected_tries += chance * (1 + 1 / left + 1 / still_left)
        share = np.mean((classes == [a, b, c]).all(axis=1))
        assert abs(share - chance) < 0.025, (a, b, c)  # 5 standard errors
    np.testing.assert_allclose(tries.mean(), expected_tries, rtol=0.05)
    assert tries.min() >= 3


def test_tries_are_geometric_where_a_block_is_short() -> None:
    # Two classes of two would be every class; of three, the second comes after 1 / 0.02 = 50 draws.
    sampler = Sampler(np.array([0.98, 0.01, 0.01]), replacement=False)
    classes, tries = repeat(lambda seed: sampler.draw(2, seed), 10_000)
    rare_second = tries[classes[:, 0] == 0] - 1
    np.testing.assert_allclose(rare_second.mean(), 50, rtol=0.05)
    np.testing.assert_allclose(np.mean(rare_second == 1), 0.02, atol=0.008)
    np.testing.assert_allclose(np.mean(rare_second > 50), 0.98**50, atol=0.03)


@settings(max_examples=40)
@given(st.data())
def test_distinct_draws_are_distinct_and_in_range(data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
    num_sampled = data.draw(st.integers(1, len(counts)))
    power = data.draw(st.sampled_from([0.0, 0.75, 1.0]))
    probabilities = distributions.unigram_probabilities(counts, power)
    sampler = Sampler(probabilities, replacement=False)
    drawn = sampler.draw(num_sampled, seed_of(data.draw(st.integers(0, 1 << 30))))
    classes = drawn.classes.numpy()
    assert drawn.classes.dtype == drawn.num_tries.dtype == tf.int64
    assert classes.shape == (num_sampled,)
    assert len(set(classes.tolist())) == num_sampled
    assert 0 <= classes.min() <= classes.max() < len(counts) == sampler.vocabulary_size
    assert drawn.num_tries.numpy() >= num_sampled
    assert (sampler.expected_count(drawn.classes, drawn).numpy() > 0).all()


@pytest.mark.parametrize("replacement", [False, True])
def test_seed_decides(replacement: bool) -> None:
    sampler = log_uniform(1000, replacement=replacement)
    one, again, other = (sampler.draw(8, seed_of(number)) for number in (5, 5, 6))
    assert one.classes.numpy().tolist() == again.classes.numpy().tolist()
    assert one.classes.numpy().tolist() != other.classes.numpy().tolist()


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("num_sampled", [20, 49, 50])
def test_compiled_equals_eager(num_sampled: int, replacement: bool) -> None:
    sampler = log_uniform(50, replacement=replacement)

    def draw() -> tuple[tf.Tensor, ...]:
        drawn = sampler.draw(num_sampled, seed_of(3))
        return (*drawn, sampler.expected_count(drawn.classes, drawn))

    for one, other in zip(tf.function(draw)(), draw(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_tables_made_inside_one_graph_are_captured_by_another() -> None:
    made: list[Sampler] = []

    @tf.function
    def make() -> tf.Tensor:
        made.append(log_uniform(5000))
        return made[0].draw(8, seed_of(3)).classes

    inside = make()
    compiled = tf.function(lambda: made[0].draw(8, seed_of(3)).classes)
    np.testing.assert_array_equal(compiled(), inside)
    # A table copied into the graph would be one of its constants.
    assert compiled.get_concrete_function().graph.as_graph_def().ByteSize() < 5000 * 4


def test_all_classes_are_each_expected_once() -> None:
    sampler = log_uniform(3000)
    drawn = sampler.draw(3000, seed_of(0))
    assert sorted(drawn.classes.numpy().tolist()) == list(range(3000))
    assert (sampler.expected_count(drawn.classes, drawn).numpy() == 1.0).all()


def test_all_but_one_of_many_classes_are_drawn() -> None:
    # Single draws would be millions.
    drawn = log_uniform(40_000).draw(39_999, seed_of(0))
    assert len(set(drawn.classes.numpy().tolist())) == 39_999
    assert drawn.num_tries.numpy() > 1_000_000


def test_more_distinct_candidates_than_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="11 distinct candidates cannot be drawn from 10 classes"):
        log_uniform(10).draw(11, seed_of(0))
    assert log_uniform(10, replacement=True).draw(11, seed_of(0)).classes.shape == [11]


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([0.5, 0.6], r"must sum to 1, but they sum to 1\.1"),
        ([1.5, -0.5], r"must be positive, but one is -0\.5"),
        ([1.0, 0.0], r"must be positive, but one is 0\.0"),
        ([0.5, np.nan], "must be positive, but one is nan"),
        ([], r"must sum to 1, but they sum to 0\.0"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sampler(np.array(probabilities), replacement=True)


def test_draw_for_each_pair_in_a_graph_of_any_batch_size() -> None:
    sampler = log_uniform(1000, replacement=True)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def draw(contexts: tf.Tensor) -> tuple[SampledCandidates, tf.Tensor]:
        drawn = sampler.draw_for_each(tf.size(contexts), 5, seed_of(2))
        return drawn, sampler.expected_count(contexts, drawn)

    drawn, counts = draw(tf.zeros([6], tf.int64))
    classes = drawn.classes.numpy()
    assert classes.shape == (6, 5)
    assert drawn.classes.dtype == tf.int64
    assert drawn.num_tries.numpy() == 5
    assert len({tuple(row) for row in classes.tolist()}) == 6
    # log(2) / log(1001) = 0.100329.
    np.testing.assert_allclose(counts, [5 * 0.100329] * 6, rtol=1e-5)
    eager = sampler.draw_for_each(tf.constant(6), 5, seed_of(2))
    np.testing.assert_array_equal(eager.classes, classes)


def test_draw_for_each_pair_is_with_replacement_only() -> None:
    with pytest.raises(ValueError, match="with replacement only"):
        log_uniform(10).draw_for_each(tf.constant(3), 2, seed_of(0))


@pytest.mark.parametrize("replacement", [False, True])
def test_draw_in_batch_takes_contexts_of_the_batch(replacement: bool) -> None:
    contexts = tf.constant([30, 10, 20, 50, 40, 70], tf.int64)

    def draw(number: int) -> list[int]:
        drawn = candidate_sampling.draw_in_batch(
            contexts, 4, seed_of(number), replacement=replacement
        )
        assert drawn.num_tries.numpy() == 4
        assert drawn.classes.dtype == tf.int64
        classes: list[int] = drawn.classes.numpy().tolist()
        return classes

    draws = [draw(number) for number in range(20)]
    assert all(len(classes) == 4 for classes in draws)
    assert {c for classes in draws for c in classes} == set(contexts.numpy().tolist())
    assert all(len(set(classes)) == 4 for classes in draws) == (not replacement)
    assert draw(0) == draws[0]
    assert len({tuple(classes) for classes in draws}) > 10


def test_draw_in_batch_goes_round_again_when_there_are_few_pairs() -> None:
    contexts = tf.constant([3, 1, 2], tf.int64)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def draw(contexts: tf.Tensor) -> SampledCandidates:
        return candidate_sampling.draw_in_batch(contexts, 8, seed_of(1), replacement=False)

    classes = draw(contexts).classes.numpy().tolist()
    assert sorted(classes[:3]) == sorted(classes[3:6]) == [1, 2, 3]
    assert classes[6:] == classes[:2]


@pytest.mark.parametrize("replacement", [False, True])
def test_draw_in_batch_of_no_pairs_is_class_0(replacement: bool) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def draw(contexts: tf.Tensor) -> SampledCandidates:
        return candidate_sampling.draw_in_batch(contexts, 3, seed_of(1), replacement=replacement)

    drawn = draw(tf.zeros([0], tf.int64))
    assert drawn.classes.numpy().tolist() == [0, 0, 0]
    assert drawn.num_tries.numpy() == 3
    assert 0 not in draw(tf.constant([5, 6], tf.int64)).classes.numpy()


@pytest.mark.parametrize("replacement", [False, True])
def test_mean_counts_of_draw_in_batch_are_the_expected_counts(replacement: bool) -> None:
    # Class 0 is the context of 5 pairs of 10, class 1 of 3, class 2 of 2.
    contexts = tf.constant([0, 1, 0, 2, 0, 1, 0, 2, 0, 1], tf.int64)
    classes, tries = repeat(
        lambda seed: candidate_sampling.draw_in_batch(contexts, 4, seed, replacement=replacement),
        5000,
    )
    sampler = Sampler(distributions.unigram_probabilities([4, 2, 1], 1.0), replacement=replacement)
    expected = sampler.expected_count(
        tf.range(3), SampledCandidates(classes, tf.constant(tries[0]))
    )
    np.testing.assert_allclose(expected, [2.0, 1.2, 0.8], rtol=1e-6)
    # The standard error of a mean count is at most sqrt(4 * 0.25 / 5,000) = 0.014.
    np.testing.assert_allclose(mean_counts(classes, 3), expected, atol=0.07)
