import numpy as np
import pytest

from trainer_module.objectives import distributions


def test_log_uniform_probabilities_by_hand() -> None:
    # Three classes: log(2/1), log(3/2), log(4/3) over log(4); they sum to 1.
    probabilities = distributions.log_uniform_probabilities(3)
    np.testing.assert_allclose(probabilities, [0.5, 0.29248125, 0.20751875], rtol=1e-7)


def test_probability_of_the_last_of_many_classes_keeps_its_digits() -> None:
    # 1 / (V ln V) to first order: 1e-6 / 13.815511.
    probabilities = distributions.log_uniform_probabilities(1_000_000)
    np.testing.assert_allclose(probabilities[-1], 7.23824e-8, rtol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 7, 42_058, 1_000_000])
def test_log_uniform_classes_are_those_of_a_search_in_the_table(size: int) -> None:
    uniforms = np.random.default_rng(size).random(20_000)
    cumulative = np.cumsum(distributions.log_uniform_probabilities(size))
    # Numbers that rounding may put on either side of a border are left out.
    nearest = np.minimum(np.searchsorted(cumulative, uniforms), size - 1)
    before = np.maximum(nearest - 1, 0)
    gaps = np.minimum(*(np.abs(cumulative[place] - uniforms) for place in (nearest, before)))
    uniforms = uniforms[gaps > 1e-12]
    assert len(uniforms) > 19_000
    np.testing.assert_array_equal(
        distributions.log_uniform_classes(uniforms, size),
        np.searchsorted(cumulative, uniforms, side="right"),
    )


@pytest.mark.parametrize("size", [1, 2, 42_058, 1_000_000])
def test_log_uniform_classes_at_both_ends(size: int) -> None:
    ends = np.array([0.0, np.nextafter(1.0, 0.0)])
    assert distributions.log_uniform_classes(ends, size).numpy().tolist() == [0, size - 1]


def test_unigram_probabilities_by_hand() -> None:
    # 16^0.75 = 8, 81^0.75 = 27, 1^0.75 = 1, of 36.
    probabilities = distributions.unigram_probabilities([15, 80, 0], 0.75)
    np.testing.assert_allclose(probabilities, [8 / 36, 27 / 36, 1 / 36], rtol=1e-12)
    plain = distributions.unigram_probabilities(np.array([1, 5, 0]), 1.0)
    np.testing.assert_allclose(plain, [2 / 9, 6 / 9, 1 / 9], rtol=1e-12)


def test_below_zero_the_rare_classes_are_the_likely_ones() -> None:
    # 16^-0.5 = 1/4, 81^-0.5 = 1/9, 1^-0.5 = 1, of 49/36.
    found = distributions.unigram_probabilities([15, 80, 0], -0.5)
    np.testing.assert_allclose(found, [9 / 49, 4 / 49, 36 / 49], rtol=1e-12)
    turned = distributions.unigram_probabilities([15, 80, 0], -1.0)
    # 1/16, 1/81 and 1: of 1296, 81 + 16 + 1296 = 1393.
    np.testing.assert_allclose(turned, [81 / 1393, 16 / 1393, 1296 / 1393], rtol=1e-12)


def test_unigram_of_power_zero_is_uniform() -> None:
    uniform = distributions.uniform_probabilities(4)
    np.testing.assert_array_equal(uniform, [0.25] * 4)
    flat = distributions.unigram_probabilities([1, 5, 0, 9], 0.0)
    np.testing.assert_array_equal(flat, uniform)
