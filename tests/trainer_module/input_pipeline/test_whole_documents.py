"""With the window `all`, each token has all others of its document: in both forms, in any epoch."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.transformed import ragged, split_of, split_of_pairs, write, write_pairs
from trainer_module.input_pipeline import pair_chunks, window_chunks
from trainer_module.input_pipeline.splits import Form, Split
from trainer_module.text import hashing, skip_grams, subsampling

Ids = list[list[int]]
NUM_TARGETS = 128
# As an int, as a person would count them; the tests of sizes.py name it by hand too.
MOST = 100


def split_with(folder: Path, ids: Ids, form: Form) -> Split:
    """What Transform makes of the documents, in files."""
    texts = tf.constant([" ".join(map(str, document)) for document in ids], tf.string)
    hashes = hashing.document_hashes(texts, tf.range(len(ids), dtype=tf.int64))
    keep = tf.ones([sum(map(len, ids))], tf.float64)
    found = subsampling.windowed(hashes, ragged(ids), keep, window="all", seed=1)
    if form is pair_chunks:
        pairs = zip(*(part.to_list() for part in skip_grams.pairs(*found)), strict=True)
        rows = [list(zip(*one, strict=True)) for one in pairs]
        split = split_of_pairs([write_pairs(folder / "a.gz", rows)])
    else:
        windows = found.window_sizes.to_list()
        documents = [list(zip(*one, strict=True)) for one in zip(ids, windows, strict=True)]
        split = split_of([write(folder / "a.gz", documents)])
    return split._replace(window="all")


def brute_force(ids: Sequence[Sequence[int]]) -> Counter[tuple[int, int]]:
    return Counter(
        (document[target], document[context])
        for document in ids
        for target in range(len(document))
        for context in range(len(document))
        if target != context and abs(target - context) <= MOST
    )


def pairs_in(split: Split, form: Form, epoch: int) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for chunk in form.chunks(split, num_targets=NUM_TARGETS, epoch=epoch):
        pairs = chunk.pairs_of(range(NUM_TARGETS))
        found.update(zip(*(part.numpy().tolist() for part in pairs), strict=True))
    return found


FORMS = pytest.mark.parametrize("form", [window_chunks, pair_chunks], ids=["windows", "pairs"])


@FORMS
@settings(max_examples=5)
@given(ids=st.lists(st.lists(st.integers(0, 19), max_size=12), min_size=1, max_size=9))
def test_pairs_are_all_there_are(
    form: Form, ids: Ids, tmp_path_factory: pytest.TempPathFactory
) -> None:
    split = split_with(tmp_path_factory.mktemp("all"), ids, form)
    expected = brute_force(ids)
    assert form.count(split).pairs == sum(expected.values())
    for epoch in (0, 1):
        assert pairs_in(split, form, epoch) == expected


@FORMS
def test_a_long_document_has_a_bound(form: Form, tmp_path: Path) -> None:
    ids = [[nth % 20 for nth in range(230)], [1, 2]]
    split = split_with(tmp_path, ids, form)
    found = pairs_in(split, form, 0)
    # 230 targets with 200 each, but for those of the first and the last hundred: 100 + ... + 1
    # are missing on either side.
    assert sum(found.values()) == 230 * 200 - 2 * 5_050 + 2
    assert found == brute_force(ids)
