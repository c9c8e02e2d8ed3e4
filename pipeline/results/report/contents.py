"""What a report is made of: sections of charts and tables. Plain data, which the page draws."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pipeline.results.records import said_kind
from pipeline.sections.corpus import Kind

# Of a run: Summary.as_json, maybe of an older version.
Result = Mapping[str, Any]
Spec = dict[str, Any]
Tone = Literal["good", "bad", "neutral"]


class Terms(NamedTuple):
    """What people call the parts of a kind of corpus."""

    data: str  # all of it
    token: str
    held_out: str
    tags: Sequence[str]  # by which others look for such vectors

    @property
    def tokens(self) -> str:
        """More than one token."""
        return f"{self.token}s"


TERMS: Mapping[Kind, Terms] = {
    "text": Terms("text", "word", "documents", ("word2vec", "word-embeddings")),
    "sessions": Terms("sessions", "item", "last items", ("item2vec", "item-embeddings")),
    "edges": Terms("graph", "node", "edges", ("node2vec", "node-embeddings", "graph")),
    "pairs": Terms("pairs", "target", "pairs", ("item-embeddings", "retrieval")),
}


def kind_of(result: Result) -> Kind:
    """`corpus.kind` of a run; one of an older version, which does not say, is of text."""
    return said_kind(result) or "text"


def terms_of(result: Result) -> Terms:
    """Those of the kind of its corpus.

    >>> terms_of({"configuration": {"corpus": {"kind": "edges"}}}).tokens
    'nodes'
    """
    return TERMS[kind_of(result)]


class Answer(NamedTuple):
    """To a question that a reader comes with."""

    question: str
    short: str  # in a word or two
    tone: Tone
    sentences: Sequence[str]


class Tile(NamedTuple):
    """A figure that stands out."""

    label: str
    value: str
    note: str  # the last blessed model's, on other pairs: neither better nor worse


class Table(NamedTuple):
    """Rows of text below a heading."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Chart(NamedTuple):
    """A picture, and what stands in its place where it is not seen."""

    name: str  # of its element, which is unlike all others
    title: str
    says: str  # what is to be seen in it
    spec: Spec  # Vega's or Vega-Lite's
    table: Table | None = None  # its figures
    is_wide: bool = False


class Listing(NamedTuple):
    """A table that stands for itself."""

    title: str
    table: Table
    note: str = ""
    is_folded: bool = False


class Section(NamedTuple):
    """A part of the page."""

    name: str  # of its element
    title: str
    intro: str
    charts: Sequence[Chart] = ()
    listings: Sequence[Listing] = ()


def whole(number: float) -> str:
    """A count.

    >>> whole(1234567.0)
    '1,234,567'
    """
    return f"{number:,.0f}"


def decimal(number: float) -> str:
    """A figure, with as many digits as say something.

    >>> [decimal(one) for one in (7.53994, 0.0004217, 1881.73, 0.0)]
    ['7.5399', '0.00042', '1,881.7', '0.0000']
    """
    if 0 < abs(number) < 0.001:
        return f"{number:.2g}"
    return f"{number:,.1f}" if abs(number) >= 1000 else f"{number:.4f}"


def band(name: str) -> str:
    """Ranks of tokens, by the name of a slice.

    >>> [band(name) for name in ("1-100", "101-1000", "10001-")]
    ['1-100', '101-1,000', 'above 10,000']
    """
    if not (found := re.fullmatch(r"(\d+)-(\d*)", name)):
        return name
    first, end = found.groups()
    return f"{whole(int(first))}-{whole(int(end))}" if end else f"above {whole(int(first) - 1)}"


def share(number: float) -> str:
    """A share, in per cent.

    >>> share(0.0123)
    '1.2 %'
    """
    return f"{100 * number:.1f} %"
