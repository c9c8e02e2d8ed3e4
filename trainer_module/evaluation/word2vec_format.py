"""word2vec's text and binary formats, GloVe's, and the vocabulary with counts. NumPy alone."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt

BINARY_FILE = "vectors.bin"
VOCABULARY_FILE = "vocabulary.tsv"

Vectors = npt.NDArray[np.float32]


class Rows(NamedTuple):
    """What a file of vectors holds; each vector is made of its bytes when it is asked for."""

    dim: int
    size: int | None  # as the first line says; GloVe's files have no such line
    rows: Iterator[tuple[bytes, Callable[[], Vectors]]]  # token, and what gives its vector `[dim]`


def text_lines(tokens: Sequence[str], vectors: Vectors) -> Iterator[str]:
    """The text format: `vocab dim`, then a token and its numbers a line.

    Args:
      tokens: `[vocab]`, without blanks.
      vectors: `[vocab, dim]`. Nine digits give every float32 back.

    >>> vectors = np.array([[1, -0.5], [0.25, 3]], np.float32)
    >>> print("".join(text_lines(["sea", "ship"], vectors)), end="")
    2 2
    sea 1 -0.5
    ship 0.25 3
    """
    dim = vectors.shape[1]
    yield f"{len(tokens)} {dim}\n"
    numbers = " ".join(["%.9g"] * dim)
    for token, vector in zip(tokens, vectors, strict=True):
        # Row by row: all of them as Python's numbers would be six times the table.
        yield f"{token} {numbers % tuple(vector.tolist())}\n"


def binary_records(tokens: Sequence[str], vectors: Vectors) -> Iterator[bytes]:
    r"""The binary format: the same header, then token, blank, little-endian float32s, line end.

    Args:
      tokens: `[vocab]`, without blanks.
      vectors: `[vocab, dim]`.

    >>> list(binary_records(["sea"], np.array([[1, -0.5]], np.float32)))
    [b'1 2\n', b'sea \x00\x00\x80?\x00\x00\x00\xbf\n']
    """
    yield f"{len(tokens)} {vectors.shape[1]}\n".encode()
    for token, vector in zip(tokens, vectors.astype("<f4", copy=False), strict=True):
        yield token.encode() + b" " + vector.tobytes() + b"\n"


def vocabulary_lines(tokens: Sequence[str], counts: Sequence[int]) -> Iterator[str]:
    r"""A header, then token, tab and count a line, in the order given: by falling count.

    Tokens are as they are, which is how TensorBoard's projector reads them: it knows tabs and
    newlines alone, and no token holds either. There is no form that it and a default
    pandas.read_csv both read: to pandas a quote that begins a token begins a quoted field. Tell it
    that there are none, and neither missing values nor numbers among tokens:
    `read_csv(path, sep="\t", quoting=3, keep_default_na=False, dtype={"token": str})`.

    >>> list(vocabulary_lines(["the", "sea"], [12, 3]))
    ['token\tcount\n', 'the\t12\n', 'sea\t3\n']
    """
    yield "token\tcount\n"
    for token, count in zip(tokens, counts, strict=True):
        yield f"{token}\t{count}\n"


def read_binary(path: Path) -> tuple[list[str], Vectors]:
    """Reads the binary format.

    Returns:
      The tokens, `[vocab]`, and their vectors, `[vocab, dim]` float32.

    Raises:
      ValueError: the file is cut short or is not in the format.

    >>> import tempfile
    >>> vectors = np.array([[1, -0.5], [0.25, 3]], np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "vectors.bin")
    ...     _ = path.write_bytes(b"".join(binary_records(["sea", "ship"], vectors)))
    ...     tokens, read = read_binary(path)
    >>> tokens, read.tolist()
    (['sea', 'ship'], [[1.0, -0.5], [0.25, 3.0]])
    """
    with path.open("rb") as file:
        return _table(_binary_rows(file, str(path)))


def read_text(path: Path) -> tuple[list[str], Vectors]:
    """Reads the text format.

    Returns:
      The tokens, `[vocab]`, and their vectors, `[vocab, dim]` float32.

    Raises:
      ValueError: the file is cut short or is not in the format.
    """
    with path.open("rb") as file:
        return _table(_text_rows(file, str(path)))


def rows_of(file: IO[bytes], name: str) -> Rows:
    """Reads a file in any of the three formats, which its first two lines tell.

    Args:
      file: at its beginning. The text formats are read row by row, as rows are asked for.
      name: of the file, for what is said of it.

    Raises:
      ValueError: it is in none of them; or, while rows are read, it is cut short.

    >>> import io
    >>> found = rows_of(io.BytesIO(b"sea 1 -0.5\\nship 0.25 3\\n"), "glove.txt")
    >>> found.dim, [(token, vector().tolist()) for token, vector in found.rows]
    (2, [(b'sea', [1.0, -0.5]), (b'ship', [0.25, 3.0])])
    """
    first, second = file.readline(), file.readline()
    file.seek(0)
    sizes = _sizes(first)
    if sizes is None:
        dim = len(first.split()) - 1
        if not _is_row(first, dim):
            raise ValueError(f"{name} is not in word2vec's text or binary format, nor in GloVe's")
        return Rows(dim, None, _lines(file, name, dim))
    return (_text_rows if _is_row(second, sizes[1]) else _binary_rows)(file, name)


def _text_rows(file: IO[bytes], name: str) -> Rows:
    size, dim = _header(file, name)
    return Rows(dim, size, _lines(file, name, dim, size))


def _lines(
    file: IO[bytes], name: str, dim: int, size: int | None = None
) -> Iterator[tuple[bytes, Callable[[], Vectors]]]:
    """A row a line; the first is that of the header, where there is one."""
    above = 0 if size is None else 1
    row = 0
    # Only b"\n" ends a line: a token may hold what str.splitlines takes for a line's end.
    for row, line in enumerate(file, 1):
        if size is not None and row > size:
            raise ValueError(f"{name} has more than the {size} vectors that its first line says")
        # From the right, as tokens of GloVe's may hold blanks. word2vec.c ends lines by one.
        token, *numbers = line.rstrip().rsplit(b" ", dim)
        if len(numbers) != dim:
            raise ValueError(f"{name}, line {row + above}, has {len(numbers)} numbers, not {dim}")
        yield token, functools.partial(_floats, numbers, f"{name}, line {row + above},")
    if size not in (None, row):
        raise ValueError(f"{name} has {row} vectors, not {size} as its first line says")


def _floats(numbers: Iterable[bytes], place: str) -> Vectors:
    try:
        return np.array([float(number) for number in numbers], np.float32)
    except ValueError as error:
        raise ValueError(f"{place} holds what is no number: {error}") from error


def _binary_rows(file: IO[bytes], name: str) -> Rows:
    size, dim = _header(file, name)
    return Rows(dim, size, _records(file.read(), name, dim, size))


def _records(
    body: bytes, name: str, dim: int, size: int
) -> Iterator[tuple[bytes, Callable[[], Vectors]]]:
    start = 0
    for row in range(size):
        blank = body.find(b" ", start)
        end = blank + 1 + 4 * dim
        if blank < 0 or end > len(body):
            raise ValueError(f"{name} ends after {row} of {size} vectors")
        yield body[start:blank], functools.partial(_little_endian, body, blank + 1, dim)
        # word2vec.c writes a line end here, and gensim none.
        start = end + (body[end : end + 1] == b"\n")


def _little_endian(body: bytes, start: int, dim: int) -> Vectors:
    return np.frombuffer(body, "<f4", dim, start).astype(np.float32, copy=False)


def _table(found: Rows) -> tuple[list[str], Vectors]:
    """All of a file with a header."""
    tokens, vectors = [], np.empty((found.size or 0, found.dim), np.float32)
    for row, (token, vector) in enumerate(itertools.islice(found.rows, found.size)):
        tokens.append(token.decode())
        vectors[row] = vector()
    next(found.rows, None)  # which says if there are more, or less
    return tokens, vectors


def read_counts(path: Path) -> list[int]:
    """Reads the counts of vocabulary_lines, `[vocab]`."""
    _, *lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    return [int(line.rpartition(b"\t")[2]) for line in lines]


def read_tokens(path: Path) -> list[str]:
    """Reads the tokens of vocabulary_lines, `[vocab]`."""
    _, *lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    return [line.rpartition(b"\t")[0].decode() for line in lines]


def _header(file: IO[bytes], name: str) -> tuple[int, int]:
    sizes = _sizes(file.readline())
    if sizes is None:
        raise ValueError(f"{name} does not begin with the numbers of tokens and of dimensions")
    return sizes


def _sizes(line: bytes) -> tuple[int, int] | None:
    """The numbers of tokens and of dimensions, if a line holds these and no more."""
    match line.split():
        case [size, dim] if size.isdigit() and dim.isdigit() and int(dim):
            return int(size), int(dim)
    return None


def _is_row(line: bytes, dim: int) -> bool:
    """Whether a line is a token and `dim` numbers."""
    _, *numbers = line.rstrip().rsplit(b" ", dim)
    try:
        return len([float(number) for number in numbers]) == dim > 0
    except ValueError:
        return False
