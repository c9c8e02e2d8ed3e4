"""How files are read, and what is counted meanwhile."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

from components.text_example_gen import files
from trainer_module.errors import InputError

_REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Options:
    """How files are read.

    kind: `corpus.kind`.
    columns: `corpus.columns`; of a file with rows, those that are read.
    directed: whether the two nodes of an edge have an order.
    max_document_bytes: a longer line becomes several documents; counted as it is in the file.
    eval_fraction: the part that is held out, in thousandths.
    num_walks, walk_length, p, q: `corpus.walks`; 0 walks where the kind has none.
    seed: of the walks.
    """

    max_document_bytes: int
    eval_fraction: float
    kind: str = "text"
    columns: tuple[str, ...] = ()
    directed: bool = False
    num_walks: int = 0
    walk_length: int = 80
    p: float = 1.0
    q: float = 1.0
    seed: int = 0

    def as_json(self) -> str:
        """The options as text, which is the same for the same ones."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what as_json wrote."""
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "columns": tuple(values["columns"])})


@dataclass
class ReadingCounts:
    """What was read, so far."""

    files: int = 0
    empty_files: int = 0
    documents: int = 0
    empty_lines: int = 0  # of blanks, or with a text of blanks; skipped
    cut_lines: int = 0  # became more than one document
    replaced_characters: int = 0  # U+FFFD put in the place of what is not UTF-8
    bytes: int = 0  # after decompression
    # Of a kind: by_name leaves them out where they are 0.
    sessions: int = 0
    edges: int = 0
    edges_held_out: int = 0
    pairs: int = 0
    # Files whose first lines look like those of another kind than was said.
    files_like_text: int = 0
    files_like_sessions: int = 0
    files_like_edges: int = 0

    def by_name(self) -> dict[str, int]:
        """The counts that every corpus has, and those of a kind that are not 0."""
        numbers: dict[str, int] = asdict(self)
        of_all = [*numbers][: [*numbers].index("sessions")]
        return {name: number for name, number in numbers.items() if number or name in of_all}


def bad_row(name: str, number: int, reason: str) -> InputError:
    """What to raise for one row of a file.

    >>> print(bad_row("a.tsv.gz", 3, "has an empty id; leave it out"))
    'a.tsv.gz', line 3, has an empty id; leave it out
    >>> print(bad_row("a.parquet", 3, "has an empty id; leave it out"))
    'a.parquet', row 3, has an empty id; leave it out
    """
    unit = "row" if files.format_of(name) == files.PARQUET else "line"
    return InputError(f"{name!r}, {unit} {number}, {reason}")


def valid_utf8(text: bytes, counts: ReadingCounts) -> bytes:
    """Returns `text` with U+FFFD, counted, for each sequence of bytes that is not UTF-8."""
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        replaced = text.decode(errors="replace")
        already = text.count(_REPLACEMENT.encode())
        counts.replaced_characters += replaced.count(_REPLACEMENT) - already
        return replaced.encode()
    return text


def encoded(text: str, counts: ReadingCounts) -> bytes:
    r"""Returns UTF-8, with U+FFFD, counted, for half of a surrogate pair, as JSON can spell it."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        text, replaced = _SURROGATES.subn(_REPLACEMENT, text)
        counts.replaced_characters += replaced
        return text.encode()
