from pathlib import Path

import tensorflow as tf

from trainer_module.text import vocabulary_tables


def test_tables_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary"
    path.write_text("6 the\n2 café\n2 -1\n", encoding="utf-8")
    words = tf.constant(["café", "-1", "the", "dog", ""])
    ids = tf.constant([2, 0, -1, 3, 1], tf.int64)
    found = vocabulary_tables.ids_of_tokens(str(path)).lookup(words)
    assert found.numpy().tolist() == [1, 2, 0, -1, -1]
    tokens = vocabulary_tables.tokens_of_ids(str(path)).lookup(ids)
    assert tokens.numpy().tolist() == [b"-1", b"the", b"", b"", "café".encode()]
    counts = vocabulary_tables.counts_of_ids(str(path)).lookup(ids)
    assert counts.numpy().tolist() == [2, 6, 0, 0, 2]
