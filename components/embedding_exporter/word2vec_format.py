"""word2vec's text and binary formats, and the vocabulary with counts. NumPy alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

TEXT_FILE = "vectors.txt"
BINARY_FILE = "vectors.bin"
VOCABULARY_FILE = "vocabulary.tsv"

Vectors = npt.NDArray[np.float32]


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
    for token, vector in zip(tokens, vectors.tolist(), strict=True):
        yield f"{token} {numbers % tuple(vector)}\n"


def binary_records(tokens: Sequence[str], vectors: Vectors) -> Iterator[bytes]:
    r"""The binary format: the same header, then token, blank, little-endian float32s, line end.

    Args:
      tokens: `[vocab]`, without blanks.
      vectors: `[vocab, dim]`.

    >>> list(binary_records(["sea"], np.array([[1, -0.5]], np.float32)))
    [b'1 2\n', b'sea \x00\x00\x80?\x00\x00\x00\xbf\n']
    """
    yield f"{len(tokens)} {vectors.shape[1]}\n".encode()
    for token, vector in zip(tokens, vectors.astype("<f4"), strict=True):
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
    content = path.read_bytes()
    header, _, body = content.partition(b"\n")
    size, dim = _header(header, path)
    tokens, vectors, start = [], np.empty((size, dim), np.float32), 0
    for row in range(size):
        blank = body.find(b" ", start)
        end = blank + 1 + 4 * dim
        if blank < 0 or end >= len(body):
            raise ValueError(f"{path} ends after {row} of {size} vectors")
        tokens.append(body[start:blank].decode())
        vectors[row] = np.frombuffer(body, "<f4", dim, blank + 1)
        start = end + 1
    return tokens, vectors


def read_text(path: Path) -> tuple[list[str], Vectors]:
    """Reads the text format.

    Returns:
      The tokens, `[vocab]`, and their vectors, `[vocab, dim]` float32.

    Raises:
      ValueError: the file is cut short or is not in the format.
    """
    # Only b"\n" ends a line: a token may hold what str.splitlines takes for a line's end.
    header, *lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    size, dim = _header(header, path)
    if len(lines) != size:
        raise ValueError(f"{path} has {len(lines)} vectors, not {size} as its first line says")
    tokens, vectors = [], np.empty((size, dim), np.float32)
    for row, line in enumerate(lines):
        token, *numbers = line.split(b" ")
        if len(numbers) != dim:
            raise ValueError(f"{path}, line {row + 2}, has {len(numbers)} numbers, not {dim}")
        tokens.append(token.decode())
        vectors[row] = [float(number) for number in numbers]
    return tokens, vectors


def read_counts(path: Path) -> list[int]:
    """Reads the counts of vocabulary_lines, `[vocab]`."""
    _, *lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    return [int(line.rpartition(b"\t")[2]) for line in lines]


def _header(line: bytes, path: Path) -> tuple[int, int]:
    try:
        size, dim = map(int, line.split())
    except ValueError as error:
        raise ValueError(
            f"{path} does not begin with the numbers of tokens and of dimensions"
        ) from error
    return size, dim
