"""Corpora that cannot succeed: each has its own sentence, and nothing is taken for finished."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def rare_words() -> bytes:
    return b"".join(b"only%d once%d\n" % (i, i) for i in range(200))


def one_word() -> bytes:
    return b"".join(b"word\n" * 1 + b"word word %d\n" % i for i in range(200))


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "binary": (lambda: random.Random(1).randbytes(100_000), "text"),
    "no_blank": (lambda: b"some words\n" + b"x" * 10_000_000, "corpus.max_document_bytes"),
    "blank_lines": (lambda: b"\n \n" * 50, "no document"),
    "one_document": (lambda: b"a single document\n", "corpus.eval_fraction"),
    "rare_words": (rare_words, "lower preprocessing.min_count"),
    "one_word": (one_word, "the vocabulary holds one token alone, 'word'"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_corpus_that_cannot_succeed(case: str, skipgram, tmp_path: Path) -> None:
    make, said = CASES[case]
    corpus, output = tmp_path / f"{case}.txt", tmp_path / "output"
    corpus.write_bytes(make())
    ended = skipgram("run", "--corpus", str(corpus), "--output", str(output))
    assert ended.code == 1
    [sentence] = ended.stderr.splitlines()
    assert said in sentence
    assert "Traceback" not in ended.stdout + ended.stderr
    for name in ("summary.json", "vectors", "serving"):
        assert not (output / name).exists()
    assert "failed" in skipgram("runs", "--output", str(output)).stdout


def test_what_is_not_utf8_is_replaced_and_reported(run, skipgram, tmp_path: Path) -> None:
    corpus, output = tmp_path / "latin1.txt", tmp_path / "output"
    lines = [f"caf\u00e9 th\u00e9 sucre lait number{i % 7} pain eau" for i in range(400)]
    corpus.write_bytes("\n".join(lines).encode("latin-1"))
    ended = skipgram(
        "run", "--corpus", str(corpus), "--output", str(output), "--set", "trainer.epochs=1",
        "--set", "evaluator.min_gain_over_unigram=-10", "--set", "preprocessing.subsample=0",
    )  # fmt: skip
    assert ended.code == 0, ended.stderr
    [row] = [line for line in ended.stdout.splitlines() if "replaced characters" in line]
    assert "800" in row
