"""preprocessing_fn through tensorflow_transform itself."""

import tempfile
from collections.abc import Sequence
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer_module import skip_grams
from trainer_module.preprocessing import preprocessing_fn


def transform(
    documents: Sequence[str], seed: int = 1, folder: str | None = None, **hyperparameters: Any
) -> list[dict[str, list[int]]]:
    """What Transform emits for documents, in their order."""
    config = {"preprocessing": {"min_count": 1, "subsample": 0, **hyperparameters}, "seed": seed}
    metadata = tft.DatasetMetadata.from_feature_spec(
        {"text": tf.io.FixedLenFeature([1], tf.string)}
    )
    data = [{"text": [document.encode()]} for document in documents]
    with tft_beam.Context(temp_dir=tempfile.mkdtemp()):
        (transformed, _), transform_fn = (data, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        if folder:
            transform_fn | tft_beam.WriteTransformFn(folder)
    return [
        {name: list(row[f"{name}$ragged_values"]) for name in ("target", "context")}
        for row in transformed
    ]


def pairs(row: dict[str, list[int]]) -> list[tuple[int, int]]:
    return list(zip(row["target"], row["context"], strict=True))


def test_ids_are_by_falling_frequency_and_pairs_in_the_order_of_targets() -> None:
    # a: 3, b: 2, c: 1, so their ids are 0, 1, 2.
    [first, second] = transform(["a b a", "C B a"], window=1)
    assert pairs(first) == [(0, 1), (1, 0), (1, 0), (0, 1)]
    assert pairs(second) == [(2, 1), (1, 2), (1, 0), (0, 1)]


def test_rare_tokens_are_dropped_before_windows_are_drawn() -> None:
    [row, _] = transform(["a rare b", "a b"], window=1, min_count=2)
    # b comes before a at equal counts: tft sorts ties in reverse.
    assert pairs(row) == [(1, 0), (0, 1)]


def test_vocab_size_keeps_the_most_frequent() -> None:
    [row] = transform(["a a a b b c"], window=1, vocab_size=2)
    assert set(row["target"]) == {0, 1}


def test_a_document_without_pairs_is_an_empty_row() -> None:
    rows = transform(["a b", "a", ""], window=1)
    assert [len(row["target"]) for row in rows] == [2, 0, 0]


def test_whitespace_keeps_case_and_signs() -> None:
    [row] = transform(["A-1 a-1 A-1"], window=1, tokenizer="whitespace")
    assert pairs(row) == [(0, 1), (1, 0), (1, 0), (0, 1)]


def test_num_tokens_counts_those_left_out_too(tmp_path: Any) -> None:
    folder = str(tmp_path / "transform")
    transform(["a b"], folder=folder)
    layer = tft.TFTransformOutput(folder).transform_features_layer()
    out = layer({"text": tf.constant([["a unknown b"], ["x"], [""]])})
    assert out["num_tokens"].numpy().tolist() == [3, 1, 0]
    # Without the unknown token between them, a and b are neighbours.
    assert out["target"].row_lengths().numpy().tolist() == [2, 0, 0]


DOCUMENTS = [f"{'the ' * 30} w{i % 7} x{i % 5} the y{i}" for i in range(40)]


def test_the_same_documents_give_the_same_pairs_in_any_order_and_batch() -> None:
    settings = {"subsample": 1e-2, "window": 3}
    one = transform(DOCUMENTS, **settings)
    other = transform(DOCUMENTS[::-1], **settings)[::-1]
    assert one == other
    assert any(row["target"] for row in one)


def test_another_seed_gives_other_pairs() -> None:
    assert transform(DOCUMENTS, subsample=1e-2) != transform(DOCUMENTS, seed=2, subsample=1e-2)


def test_subsampling_thins_out_frequent_tokens_as_the_formula_says() -> None:
    # 300 documents of a and a token of its own: f(a) = 1/2, kept with
    # sqrt(0.1 / 0.5) + 0.1 / 0.5 = 0.647; the others (1/600 each) are always kept.
    rows = transform([f"a w{i}" for i in range(300)], subsample=0.1, window=1)
    kept = sum(len(row["target"]) == 2 for row in rows)
    # The standard deviation is sqrt(300 * 0.647 * 0.353) = 8.3.
    assert abs(kept - 194) < 34


def test_draws_are_those_of_the_documents_fingerprint() -> None:
    document = "a b c d e f"
    [row] = transform([document], window=4)
    fingerprints = tf.repeat(skip_grams.fingerprint(tf.constant([document])), 6)
    uniforms = skip_grams.uniform(
        fingerprints, tf.range(6), seed=1, stream=skip_grams.WINDOW_STREAM
    ).numpy()
    sizes = [1 + int(4 * u) for u in uniforms]
    expected = sum(min(i, size) + min(5 - i, size) for i, size in enumerate(sizes))
    assert len(row["target"]) == expected


def test_an_unknown_hyperparameter_is_refused() -> None:
    with pytest.raises(ValueError, match="windw"):
        transform(["a b"], windw=3)
