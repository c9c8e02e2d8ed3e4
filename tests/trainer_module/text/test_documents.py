from collections.abc import Sequence

import tensorflow as tf

from tests.trainer_module.transformed import ragged
from trainer_module.text import skip_grams
from trainer_module.text.documents import windowed


def windowed_of(
    documents: Sequence[str], ids: Sequence[Sequence[int]], keep: Sequence[float], window: int
) -> tuple[list[list[int]], list[list[int]]]:
    found = windowed(
        tf.constant(documents, tf.string),
        ragged(ids),
        tf.constant(keep, tf.float64),
        window=window,
        seed=1,
    )
    assert found.token_ids.dtype == found.window_sizes.dtype == tf.int64
    return found.token_ids.to_list(), found.window_sizes.to_list()


def drawn(document: str, num_tokens: int, stream: int) -> list[float]:
    fingerprints = tf.repeat(skip_grams.fingerprint(tf.constant([document])), num_tokens)
    uniforms = skip_grams.uniform(fingerprints, tf.range(num_tokens), seed=1, stream=stream)
    numbers: list[float] = uniforms.numpy().tolist()
    return numbers


def test_unknown_tokens_are_dropped_before_positions_are_counted() -> None:
    ids, windows = windowed_of(["a ? b", "?", "", "b"], [[0, -1, 1], [-1], [], [1]], [1.0] * 5, 50)
    assert ids == [[0, 1], [], [], [1]]
    sizes = skip_grams.WINDOW_STREAM
    assert windows == [
        [1 + int(50 * number) for number in drawn("a ? b", 2, sizes)],
        [],
        [],
        [1 + int(50 * number) for number in drawn("b", 1, sizes)],
    ]


def test_a_token_is_left_out_by_its_own_probability() -> None:
    first, second = drawn("a ? b", 2, skip_grams.SUBSAMPLING_STREAM)
    # A number below the probability keeps a token; of the unknown one it may be anything.
    probabilities = [first, float("nan"), second + 1e-9]
    assert windowed_of(["a ? b"], [[0, -1, 1]], probabilities, 1) == ([[0, 1]], [[0, 1]])


def test_no_documents_and_no_known_token() -> None:
    assert windowed_of([], [], [], 5) == ([], [])
    assert windowed_of(["?", ""], [[-1], []], [0.0], 5) == ([[], []], [[], []])
