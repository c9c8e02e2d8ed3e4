"""preprocessing_fn through tensorflow_transform itself."""

import functools
import tempfile
from collections.abc import Sequence
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from tests.trainer_module.transformed import pairs_of
from trainer_module.preprocessing import preprocessing_fn
from trainer_module.text import hashing, subsampling, vocabulary_tables
from trainer_module.text.tokenization import tokenize
from trainer_module.text.words import Tokenization

pytestmark = pytest.mark.slow


def transform(
    documents: Sequence[str],
    seed: int = 1,
    folder: str | None = None,
    occurrences: Sequence[int] | None = None,
    kind: str = "text",
    **hyperparameters: Any,
) -> list[dict[str, list[int]]]:
    """What Transform emits for documents, in their order; each the only one unless that is said."""
    preprocessing = {"min_count": 1, "subsample": 0, **hyperparameters}
    config = {"preprocessing": preprocessing, "seed": seed, "kind": kind}
    metadata = tft.DatasetMetadata.from_feature_spec(
        {
            "text": tf.io.FixedLenFeature([1], tf.string),
            "occurrence": tf.io.FixedLenFeature([1], tf.int64),
        }
    )
    data = [
        {"text": [document.encode()], "occurrence": [occurrence]}
        for document, occurrence in zip(documents, occurrences or [0] * len(documents), strict=True)
    ]
    with tft_beam.Context(temp_dir=tempfile.mkdtemp()):
        (transformed, _), transform_fn = (data, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        if folder:
            transform_fn | tft_beam.WriteTransformFn(folder)
    names = {"windows": ("token_ids", "window_sizes"), "pairs": ("target", "context")}
    return [
        {
            name: list(row[f"{name}$ragged_values"])
            for name in names[hyperparameters.get("emit", "windows")]
        }
        for row in transformed
    ]


def hash_of(document: str) -> tf.Tensor:
    return hashing.document_hashes(tf.constant([document]), tf.constant([0], tf.int64))


def draws(document: str, num_tokens: int, stream: int) -> list[float]:
    """The random numbers of the tokens of a document that are in the vocabulary."""
    hashes, rows = hash_of(document), tf.zeros([num_tokens], tf.int64)
    drawn = hashing.uniform(hashes, rows, tf.range(num_tokens), seed=1, stream=stream)
    return drawn.numpy().tolist()


def windows(document: str, num_tokens: int, window: int) -> list[int]:
    return [1 + int(window * u) for u in draws(document, num_tokens, subsampling.WINDOW_STREAM)]


def test_ids_are_by_falling_frequency_in_the_order_of_the_text() -> None:
    # a: 3, b: 2, c: 1, so their ids are 0, 1, 2.
    [first, second] = transform(["a b a", "C B a"], window=1)
    assert first == {"token_ids": [0, 1, 0], "window_sizes": [1, 1, 1]}
    assert second == {"token_ids": [2, 1, 0], "window_sizes": [1, 1, 1]}


def test_rare_tokens_are_dropped_before_windows_are_drawn() -> None:
    [row, _] = transform(["a rare b", "a b"], window=50, min_count=2)
    # b comes before a at equal counts: tft sorts ties in reverse.
    assert row["token_ids"] == [1, 0]
    # The window of the second token that is left, not of the third.
    assert row["window_sizes"] == windows("a rare b", 2, window=50)


def test_vocab_size_keeps_the_most_frequent() -> None:
    [row] = transform(["a a a b b c"], window=1, vocab_size=2)
    assert set(row["token_ids"]) == {0, 1}


def test_documents_without_pairs_are_rows_too() -> None:
    rows = transform(["a b", "a", ""], window=1)
    assert [len(row["token_ids"]) for row in rows] == [2, 1, 0]
    assert [len(row["window_sizes"]) for row in rows] == [2, 1, 0]


def test_whitespace_keeps_case_and_signs() -> None:
    [row] = transform(["A-1 a-1 A-1"], window=1, tokenizer="whitespace")
    assert row["token_ids"] == [0, 1, 0]


def test_num_tokens_counts_those_left_out_too(tmp_path: Any) -> None:
    folder = str(tmp_path / "transform")
    transform(["a b"], folder=folder)
    layer = tft.TFTransformOutput(folder).transform_features_layer()
    texts = tf.constant([["a unknown b"], ["x"], [""]])
    out = layer({"text": texts, "occurrence": tf.zeros_like(texts, tf.int64)})
    assert out["document_hash"][0].numpy() == tf.bitcast(hash_of("a unknown b"), tf.int64)[0]
    assert out["num_tokens"].numpy().tolist() == [3, 1, 0]
    # Without the unknown token between them, a and b are neighbours.
    assert out["token_ids"].to_list() == [[1, 0], [], []]
    assert out["window_sizes"].row_lengths().numpy().tolist() == [2, 0, 0]


def test_of_any_script_the_saved_graph_gives_the_same_tokens(tmp_path: Any) -> None:
    documents = [
        "ONE\u00adTWO I \u2764\ufe0f",
        "e\u0301tude É\u00adTUDE étude",
        "L·L l·l",
        "alpha beta\x00gamma delta",
        "ΣΑΣ\x00نمی\u200cشود",
    ]
    folder = str(tmp_path / "transform")
    rows = transform(documents, folder=folder, window=1)
    saved = tft.TFTransformOutput(folder)
    kept = [token.decode() for token in saved.vocabulary_by_name("vocabulary")]
    words = [
        *["étude", "l·l", "alpha", "beta", "gamma", "delta", "σας", "onetwo", "i"],
        "نمی\u200cشود",
    ]
    assert sorted(line.split()[-1] for line in kept) == sorted(words)
    layer = saved.transform_features_layer()
    found = layer({"text": tf.constant([[document] for document in documents])})
    assert found["token_ids"].to_list() == [row["token_ids"] for row in rows]
    assert found["num_tokens"].numpy().tolist() == [2, 3, 2, 4, 2]


@pytest.mark.parametrize(("normalization", "num_tokens"), [("nfc", 1), ("nfkc", 1), ("none", 2)])
def test_normalization_is_that_of_the_configuration(normalization: str, num_tokens: int) -> None:
    [row] = transform(["e\u0301 é"], window=1, tokenizer="whitespace", normalization=normalization)
    assert len(set(row["token_ids"])) == num_tokens


DOCUMENTS = [f"{'the ' * 30} w{i % 7} x{i % 5} the y{i}" for i in range(40)]


@functools.cache
def subsampled(seed: int) -> list[dict[str, list[int]]]:
    return transform(DOCUMENTS, seed=seed, subsample=1e-2, window=3)


def test_the_same_documents_give_the_same_pairs_in_any_order_and_batch() -> None:
    one = subsampled(1)
    other = transform(DOCUMENTS[::-1], subsample=1e-2, window=3)[::-1]
    assert one == other
    sizes = {size for row in one for size in row["window_sizes"]}
    assert sizes == {0, 1, 2, 3}  # 0 where subsampling left a token out


def test_another_seed_leaves_out_other_tokens_and_draws_other_windows() -> None:
    one, other = subsampled(1), subsampled(2)
    assert [row["token_ids"] for row in one] == [row["token_ids"] for row in other]
    sizes = [
        pair
        for rows in zip(one, other, strict=True)
        for pair in zip(*(row["window_sizes"] for row in rows), strict=True)
    ]
    assert any((first == 0) != (second == 0) for first, second in sizes)
    assert any(0 < first != second > 0 for first, second in sizes)


def test_subsampling_thins_out_frequent_tokens_as_the_formula_says() -> None:
    # 300 documents of a and a token of its own: f(a) = 1/2, kept with
    # sqrt(0.1 / 0.5) + 0.1 / 0.5 = 0.647; the others (1/600 each) are always kept.
    rows = transform([f"a w{i}" for i in range(300)], subsample=0.1, window=1)
    assert all(len(row["token_ids"]) == len(row["window_sizes"]) == 2 for row in rows)
    assert all(row["window_sizes"][1] == 1 for row in rows)
    kept = sum(row["window_sizes"][0] == 1 for row in rows)
    # The standard deviation is sqrt(300 * 0.647 * 0.353) = 8.3.
    assert abs(kept - 194) < 34


def test_windows_are_those_of_the_documents_fingerprint() -> None:
    document = " ".join("abcdef" * 4)
    [row] = transform([document], window=4)
    assert row["window_sizes"] == windows(document, 24, window=4)
    assert set(row["window_sizes"]) == {1, 2, 3, 4}


def test_each_copy_of_a_document_is_drawn_on_its_own() -> None:
    # 2,000 copies, a kept with sqrt(0.1 / 0.5) + 0.1 / 0.5 = 0.647; standard deviation 21.
    rows = transform(["a b"] * 2000, occurrences=range(2000), subsample=0.1, window=4)
    kept = [sum(row["window_sizes"][place] > 0 for row in rows) for place in (0, 1)]
    assert all(abs(number - 1294) < 105 for number in kept)
    both = sum(min(row["window_sizes"]) > 0 for row in rows)
    assert abs(both - 2000 * 0.647**2) < 110
    sizes = [row["window_sizes"][0] for row in rows if row["window_sizes"][0]]
    assert min(sizes.count(size) for size in (1, 2, 3, 4)) > kept[0] / 4 - 80


def test_subsampling_leaves_each_target_its_window() -> None:
    # a stands for half of the corpus, is kept with sqrt(0.02) + 0.02 = 0.16; the others always.
    document = " ".join(f"a w{i}" for i in range(100))
    [row] = transform([document], window=50, subsample=0.01)
    drawn = draws(document, 200, subsampling.SUBSAMPLING_STREAM)
    kept = {i for i in range(200) if i % 2 or drawn[i] < 0.02**0.5 + 0.02}
    assert 100 < len(kept) < 150
    of_all = windows(document, 200, window=50)
    assert row["window_sizes"] == [of_all[i] if i in kept else 0 for i in range(200)]
    assert [token_id == 0 for token_id in row["token_ids"]] == [i % 2 == 0 for i in range(200)]


def test_documents_in_memory_are_windowed_as_transform_does(tmp_path: Any) -> None:
    folder = str(tmp_path / "transform")
    rows = transform(DOCUMENTS, folder=folder, subsample=1e-2, window=3, min_count=2)
    vocabulary = tft.TFTransformOutput(folder).vocabulary_file_by_name("vocabulary")
    tokens = tokenize(tf.constant(DOCUMENTS), Tokenization())
    ids = vocabulary_tables.ids_of_tokens(vocabulary).lookup(tokens.flat_values)
    assert -1 in ids.numpy()
    # Of each known token how often it is among the known ones.
    counts = tf.cast(tf.math.bincount(tf.boolean_mask(ids, ids >= 0)), tf.float64)
    frequencies = tf.gather(counts / tf.reduce_sum(counts), tf.maximum(ids, 0))
    found = subsampling.windowed(
        hashing.document_hashes(tf.constant(DOCUMENTS), tf.zeros([len(DOCUMENTS)], tf.int64)),
        tokens.with_values(ids),
        subsampling.keep_probability(frequencies, 1e-2),
        window=3,
        seed=1,
    )
    assert found.token_ids.to_list() == [row["token_ids"] for row in rows]
    assert found.window_sizes.to_list() == [row["window_sizes"] for row in rows]


def test_pairs_are_those_of_the_windows_in_their_order() -> None:
    rows = transform(DOCUMENTS, subsample=1e-2, window=3, emit="pairs")
    expected = [
        pairs_of(list(zip(row["token_ids"], row["window_sizes"], strict=True)))
        for row in subsampled(1)
    ]
    assert [list(zip(row["target"], row["context"], strict=True)) for row in rows] == expected
    assert 0 < min(map(len, expected)) < max(map(len, expected))


def test_documents_without_pairs_are_rows_of_none() -> None:
    [two, one, none] = transform(["a b", "a", ""], window=1, emit="pairs")
    # b comes before a at equal counts, but a is there twice.
    assert two == {"target": [0, 1], "context": [1, 0]}
    assert one == none == {"target": [], "context": []}


def test_a_document_without_known_tokens_is_a_row_without_tokens() -> None:
    [_, *rows] = transform(["a a a", "b", ""], subsample=1e-2, min_count=3)
    assert rows == [{"token_ids": [], "window_sizes": []}] * 2


# The counts: a 3 + 2, b 2 + 1, c 2, d 1.
MIXED = ["a b a", "c\ta\t2", "d\tb", "a b"]


def test_given_pairs_are_targets_and_contexts_alone(tmp_path: Any) -> None:
    folder = str(tmp_path / "transform")
    rows = transform(MIXED, folder=folder, kind="sessions", tokenizer="whitespace", window=1)
    assert [row["token_ids"] for row in rows] == [[0, 1, 0], [2, 0, 2], [3, 1], [0, 1]]
    assert [row["window_sizes"] for row in rows] == [[1, 1, 1], [1, -1, 1], [1, -1], [1, 1]]
    saved = tft.TFTransformOutput(folder)
    assert saved.vocabulary_by_name("vocabulary") == [b"5 a", b"3 b", b"2 c", b"1 d"]
    # What is served makes the same of them, and nothing of a pair that it does not know.
    documents = tf.constant([*MIXED, "a\tunknown"])
    layer = saved.transform_features_layer()
    found = layer({"text": documents[:, tf.newaxis], "occurrence": tf.zeros([5, 1], tf.int64)})
    assert found["window_sizes"].to_list() == [*(row["window_sizes"] for row in rows), []]
    assert found["num_tokens"].numpy().tolist() == [3, 4, 2, 2, 2]


def test_given_pairs_written_out() -> None:
    rows = transform(MIXED, kind="edges", tokenizer="whitespace", window=1, emit="pairs")
    assert [list(zip(row["target"], row["context"], strict=True)) for row in rows] == [
        [(0, 1), (1, 0), (1, 0), (0, 1)],
        [(2, 0), (2, 0)],
        [(3, 1)],
        [(0, 1), (1, 0)],
    ]


def test_a_text_has_no_given_pairs() -> None:
    [row] = transform(["a\tb\tb"], tokenizer="whitespace", window=1)
    assert row == {"token_ids": [1, 0, 0], "window_sizes": [1, 1, 1]}


def test_an_unknown_hyperparameter_is_refused() -> None:
    with pytest.raises(ValueError, match="windw"):
        transform(["a b"], windw=3)
