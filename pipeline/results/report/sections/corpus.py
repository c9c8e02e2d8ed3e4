"""What the model was made of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.results.embeddings import Embeddings
from pipeline.results.records import READ_OF_KIND, copies_label
from pipeline.results.report import charts
from pipeline.results.report.contents import (
    Chart,
    Listing,
    Result,
    Section,
    Table,
    kind_of,
    share,
    whole,
)

_SHOWN_TOKENS = 25
# Points of a curve that a screen can tell apart.
_POINTS = 150
# Of reading.json and of a summary: what to say of each, where it is not 0.
_READ = {
    "files": "files",
    "empty_files": "empty files",
    "bytes": "bytes, decompressed",
    "documents": "documents",
    "documents_eval": "documents held out",
    "copies_eval": "",  # by the kind: records.copies_label
    "cut_lines": "lines too long for one document, cut",
    "empty_lines": "empty lines, skipped",
    "replaced_characters": "characters replaced, as they were not UTF-8",
}


def section(
    result: Result,
    corpus: str,
    read: Mapping[str, Any] | None,
    lengths: Sequence[int],
    vectors: Embeddings | None,
) -> Section:
    """Of one run.

    Args:
      result: of the run.
      corpus: what was named, as it was typed.
      read: reading.json, if it is still there.
      lengths: of some documents, in words.
      vectors: with the vocabulary and its counts, if they are still there.
    """
    counts = None if vectors is None else vectors.counts
    tokens = [] if vectors is None else vectors.tokens
    found: list[Chart] = []
    if counts is not None and len(counts) > 1:
        found.append(_zipf(counts))
    if lengths and kind_of(result) == "text":  # what other kinds hold out has two tokens
        found.append(_lengths(lengths))
    intro = f"From {corpus}: {whole(result.get('tokens', 0))} tokens in "
    intro += f"{whole(result.get('documents', 0))} documents."
    listings = [_read_table(result, read, counts), *_most_frequent(tokens, counts)]
    return Section("corpus", "Corpus", intro, found, listings)


def _read_table(
    result: Result, read: Mapping[str, Any] | None, counts: npt.NDArray[np.int64] | None
) -> Listing:
    content = {**result, **(result.get("read") or {}), **(read or {})}
    labels = _READ | {"copies_eval": copies_label(content)} | READ_OF_KIND
    rows = [(label, whole(content[name])) for name, label in labels.items() if content.get(name)]
    tokens, left_out = result.get("tokens"), result.get("distinct_tokens_left_out")
    if left_out:
        rows.append(("different tokens without a vector, too rare", whole(left_out)))
    if counts is not None and tokens:
        kept = float(counts.sum()) / result.get("corpus", {}).get("tokens", tokens)
        rows.append(("occurrences of tokens that have a vector", share(kept)))
    corpus = result.get("corpus", {})
    rows += [
        (name.replace("_", " "), str(corpus[name]))
        for name in ("date", "days", "missing_days")
        if corpus.get(name)
    ]
    return Listing("What was read", Table(("what", "how many"), rows))


def _zipf(counts: npt.NDArray[np.int64]) -> Chart:
    """Counts by rank, with the line along which rank times count stays what it is in the middle."""
    ranks = np.unique(np.geomspace(1, len(counts), _POINTS).round().astype(int))
    values = [{"rank": int(rank), "count": int(counts[rank - 1])} for rank in ranks]
    log = {"type": "log", "nice": False}
    x = charts.quantity("rank", "rank", "~s", **log)
    y = charts.quantity("count", "occurrences", "~s", **log)
    middle = values[len(values) // 2]
    product = middle["rank"] * middle["count"]
    low = max(1.0, product / max(float(counts[0]), 1.0))
    high = min(float(len(counts)), product / max(float(counts[-1]), 1.0))
    ideal = charts.straight_line(x, y, [(end, product / end) for end in (low, high)])
    says = (
        f"The most frequent token occurs {whole(counts[0])} times, the least frequent that is kept "
        f"{whole(counts[-1])}. Along the dashed line the count is in inverse proportion to the "
        "rank, which is Zipf's law."
    )
    shown = [1, 10, 100, 1_000, 10_000, 100_000, len(counts)]
    rows = [
        (whole(rank), whole(counts[rank - 1])) for rank in sorted(set(shown)) if rank <= len(counts)
    ]
    spec = charts.points(values, x, y, ideal)
    return Chart("zipf", "Zipf's line", says, spec, Table(("rank", "occurrences"), rows))


def _lengths(lengths: Sequence[int]) -> Chart:
    """In bands that double."""
    bands = np.floor(np.log2(np.maximum(lengths, 1))).astype(int)
    shares = [float((bands == band).mean()) for band in range(int(bands.max()) + 1)]
    names = [_band(band) for band in range(len(shares))]
    values = [{"words": name, "share": one} for name, one in zip(names, shares, strict=True)]
    median = int(np.median(lengths))
    says = (
        f"Half of {whole(len(lengths))} held-out documents have up to {whole(median)} words "
        f"between blanks; the longest has {whole(max(lengths))}."
    )
    category = charts.names("words", "words in a document", labelAngle=-40)
    spec = charts.columns(values, category, charts.quantity("share", "share of documents", ".0%"))
    rows = [(name, share(one)) for name, one in zip(names, shares, strict=True)]
    table = Table(("words", "share of documents"), rows)
    return Chart("lengths", "Lengths of documents", says, spec, table)


def _band(power: int) -> str:
    """
    >>> [_band(power) for power in range(3)]
    ['1', '2-3', '4-7']
    """
    return "1" if power == 0 else f"{whole(2**power)}-{whole(2 ** (power + 1) - 1)}"


def _most_frequent(
    tokens: Sequence[str], counts: npt.NDArray[np.int64] | None
) -> Iterator[Listing]:
    if counts is None:
        return
    total = float(counts.sum())
    rows = [
        (whole(rank), token, whole(count), share(count / total))
        for rank, (token, count) in enumerate(zip(tokens[:_SHOWN_TOKENS], counts, strict=False), 1)
    ]
    table = Table(("rank", "token", "occurrences", "share"), rows)
    yield Listing("Most frequent tokens", table, is_folded=True)
