"""Whether the first texts or sessions of a file look like another kind of corpus than was said."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TypeVar

from components.text_example_gen.account import ReadingCounts

Seen = TypeVar("Seen", bytes, tuple[int, list[bytes]])

_FEWEST_LINES = 50
# A corpus may have very many files, and lines may be long.
_MOST_LINES, _MOST_BYTES = 300, 1 << 20
# Of the lines.
_NEARLY_ALL = 0.99
_MANY = 0.5
# Where prose gives itself away: a capital letter begins the line, and a mark ends a word.
_PROSE = re.compile(rb"\W*[A-Z].*[a-z][.,;:!?]+(?:\W|$)")
_SIGNS = {
    "text": "their lines begin with capital letters and hold marks of punctuation",
    "sessions": "their lines hold numbers alone",
    "edges": "nearly all of their lines have the same two or three columns",
}
_IDS = re.compile(rb"\s*\d+(?:\s+\d+)*\s*")


def watched(documents: Iterable[Seen], kind: str, counts: ReadingCounts) -> Iterator[Seen]:
    """Yields the documents of a file; adds the file, if the first ones look like another kind.

    Args:
      documents: texts, or sessions: the number of a row, and its items. Of which format does not
        matter. They are not blank.
      kind: what was said, `corpus.kind`.
      counts: is added to.
    """
    documents, first, num_bytes = iter(documents), [], 0
    for document in islice(documents, _MOST_LINES):
        first.append(document)
        num_bytes += len(_line(document))
        if num_bytes > _MOST_BYTES:
            break
    lines = [_line(document) for document in first]
    found = looks_like(lines) if len(lines) >= _FEWEST_LINES else None
    if found and found != kind:
        name = f"files_like_{found}"
        setattr(counts, name, getattr(counts, name) + 1)
    yield from chain(first, documents)


def _line(document: bytes | tuple[int, list[bytes]]) -> bytes:
    return document if isinstance(document, bytes) else b" ".join(document[1])


def looks_like(lines: list[bytes]) -> str | None:
    """Returns "edges", "sessions" or "text", or None where it is not clear.

    >>> looks_like([b"1 2", b"2 3"]), looks_like([b"1 2", b"2 3 4 5"])
    ('edges', 'sessions')
    >>> looks_like([b"It was late, and it rained.", b"a b"])
    'text'
    """
    columns, of_them = Counter(len(line.split()) for line in lines).most_common(1)[0]
    if columns in (2, 3) and of_them >= _NEARLY_ALL * len(lines):
        return "edges"
    if sum(map(bool, map(_IDS.fullmatch, lines))) >= _NEARLY_ALL * len(lines):
        return "sessions"
    if sum(map(bool, map(_PROSE.match, lines))) >= _MANY * len(lines):
        return "text"
    return None


def sentences(counts: Mapping[str, int], kind: str) -> Iterator[str]:
    """Yields what to tell people of files that look like another kind than was said.

    Args:
      counts: reading.json.
      kind: what was said.
    """
    for other, why in _SIGNS.items():
        if number := counts.get(f"files_like_{other}"):
            yield (
                f"{number} of {counts['files']} files look like corpus.kind={other}, and it is"
                f" {kind}: {why}"
            )
