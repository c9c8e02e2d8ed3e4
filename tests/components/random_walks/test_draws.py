import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.random_walks import draws
from tests.trainer_module.text.splitmix import GAMMA, MASK, splitmix
from trainer_module.text import hashing

SEEDS = st.lists(st.integers(0, MASK), min_size=1, max_size=5)


@given(SEEDS, st.integers(0, 1 << 40))
def test_numbers_are_those_of_hashing_and_of_the_definition(seeds: list[int], n: int) -> None:
    ours = np.array(seeds, np.uint64)
    theirs = tf.constant(seeds, tf.uint64)
    places = np.arange(n, n + len(seeds))
    assert draws.mix(ours).tolist() == hashing.mix(theirs).numpy().tolist()
    assert draws.mix(ours).tolist() == list(map(splitmix, seeds))
    numbers = [splitmix((seed + (n + 1) * GAMMA) & MASK) for seed in seeds]
    assert draws.nth_number(ours, n).tolist() == numbers
    assert hashing.nth_number(theirs, tf.constant(n)).numpy().tolist() == numbers
    assert (
        draws.nth_number(ours, places).tolist()
        == hashing.nth_number(theirs, tf.constant(places)).numpy().tolist()
    )
    assert draws.uniform(ours, n).tolist() == [(number >> 11) / 2**53 for number in numbers]


def test_what_is_mixed_stays_as_it_was() -> None:
    seeds = np.arange(3, dtype=np.uint64)
    draws.mix(seeds)
    assert seeds.tolist() == [0, 1, 2]
