import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from scipy.spatial import distance

from components.corpus_gate.comparison import compare, jensen_shannon_divergence
from trainer_module.vocabulary import Vocabulary, parse


def vocabulary(**counts: int) -> Vocabulary:
    return parse("".join(f"{count} {token}\n" for token, count in counts.items()).encode())


def test_by_hand() -> None:
    # Shares (1/2, 1/2, 0) and (1/2, 0, 1/2), their middle (1/2, 1/4, 1/4): from either to it
    # 1/2 log2(1) + 1/2 log2(2) = 1/2.
    compared = compare(
        vocabulary(the=4, cat=4), vocabulary(the=7, dog=7), tokens=10, last_tokens=16
    )
    assert compared._asdict() == {
        "tokens": 10,
        "last_tokens": 16,
        "vocabulary_kept": 1,
        "vocabulary_new": 1,
        "vocabulary_gone": 1,
        "share_of_new_tokens": 4 / 8,
        "jensen_shannon_divergence": 0.5,
    }
    assert compared.token_loss == 1 - 10 / 16


def test_the_divergence_by_hand() -> None:
    # The middle of (3/4, 1/4) and (1/4, 3/4) is (1/2, 1/2).
    expected = 3 / 4 * math.log2(3 / 2) + 1 / 4 * math.log2(1 / 2)
    found = jensen_shannon_divergence(np.array([3, 1]), np.array([100, 300]))
    assert found == pytest.approx(expected)
    assert expected == pytest.approx(0.1887, abs=1e-4)


def test_nothing_in_common_is_one_bit_and_the_same_nothing() -> None:
    apart = compare(vocabulary(cat=3), vocabulary(dog=5), tokens=3, last_tokens=5)
    assert apart.jensen_shannon_divergence == 1.0
    assert apart.share_of_new_tokens == 1.0
    doubled = compare(
        vocabulary(the=6, cat=2, sat=2), vocabulary(the=3, sat=1, cat=1), tokens=10, last_tokens=5
    )
    assert doubled.jensen_shannon_divergence == 0.0
    assert doubled.share_of_new_tokens == 0.0
    assert doubled.token_loss == 0.0


def test_as_counted_one_by_one_and_by_scipy() -> None:
    draws = Random(7)
    words = [f"w{number}" for number in range(60)]
    nights = [Counter(draws.choices(some, k=500)) for some in (words[:45], words[10:])]
    tonight, last = (vocabulary(**dict(night.most_common(30))) for night in nights)
    compared = compare(tonight, last, tokens=500, last_tokens=500)
    assert compared.vocabulary_new == sum(token not in last.tokens for token in tonight.tokens)
    assert compared.vocabulary_gone == sum(token not in tonight.tokens for token in last.tokens)
    assert compared.vocabulary_kept == 30 - compared.vocabulary_new
    new = [t for t, n in zip(tonight.tokens, tonight.counts, strict=True) for _ in range(n)]
    unknown = [token not in last.tokens for token in new]
    assert compared.share_of_new_tokens == pytest.approx(sum(unknown) / len(unknown))
    union = sorted({*tonight.tokens, *last.tokens})
    shares = [
        [dict(zip(one.tokens, one.frequencies, strict=True)).get(token, 0) for token in union]
        for one in (tonight, last)
    ]
    by_scipy = distance.jensenshannon(*shares, base=2) ** 2
    assert compared.jensen_shannon_divergence == pytest.approx(by_scipy)
    swapped = compare(last, tonight, tokens=500, last_tokens=500)
    assert swapped.jensen_shannon_divergence == pytest.approx(by_scipy)
