"""Whether the first lines of a file look like another kind of corpus than was said."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from components.text_example_gen.account import ReadingCounts

_FEWEST_LINES = 50
_MOST_LINES = 300  # a corpus may have very many files
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


def count(block: bytes, kind: str, counts: ReadingCounts) -> None:
    """Adds a file whose lines look like another kind.

    Args:
      block: its first bytes.
      kind: what was said, `corpus.kind`.
      counts: is added to.
    """
    lines = [line for line in block.split(b"\n", _MOST_LINES)[:-1] if not line.isspace()]
    found = looks_like(lines) if len(lines) >= _FEWEST_LINES else None
    if found and found != kind and kind in ("text", "sessions"):
        name = f"files_like_{found}"
        setattr(counts, name, getattr(counts, name) + 1)


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
