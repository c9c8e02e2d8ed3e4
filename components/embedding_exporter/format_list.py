"""The formats in which vectors are exported, one row each: who writes, what files, who reads them.

Light on purpose: the configuration reads it before TensorFlow is imported.
"""

import importlib.util
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from trainer_module.errors import InputError

# The commands read its files, so it is always written.
ALWAYS = "word2vec"
# In the folder of vectors, what was written: format -> its files, and figures of it.
EXPORTS_FILE = "exports.json"
_TOKENS = "tokens.txt"  # a token a line, in the order of the rows


class ExportFormat(NamedTuple):
    """What must be known of a format."""

    # The function that writes it, as module:name below this package; it is given a
    # formats.Export and the paths of `files`, and returns figures for the summary.
    writer: str
    # Below vectors/; a name without an ending is a folder. Formats may share tokens.txt.
    files: tuple[str, ...]
    read_by: str
    # What must be installed beside our own dependencies: module, and extra of this package.
    library: str | None = None
    extra: str | None = None


FORMATS: Mapping[str, ExportFormat] = {
    "word2vec": ExportFormat(
        "formats:word2vec",
        (
            *("vectors.txt", "vectors.bin", "context_vectors.bin", "vocab.txt", "vocabulary.tsv"),
            "context_vocab.txt",  # where contexts have a vocabulary of their own
        ),
        "gensim, fastText, TensorBoard",
    ),
    "parquet": ExportFormat("formats:parquet", ("vectors.parquet",), "pandas, DuckDB, Spark"),
    "safetensors": ExportFormat(
        "formats:safetensors",
        ("vectors.safetensors", _TOKENS, "context_tokens.txt"),
        "PyTorch, JAX, NumPy",
    ),
    "npy": ExportFormat("formats:npy", ("vectors.npy", _TOKENS), "NumPy, in float16"),
    "faiss": ExportFormat(
        "vector_search:faiss", ("index.faiss", _TOKENS), "Faiss", library="faiss", extra="faiss"
    ),
    "vertex": ExportFormat("vector_search:vertex", ("vertex",), "Vertex AI Vector Search"),
}
if TYPE_CHECKING:
    FormatName = str  # a checker wants the names written out, and the table has them
else:
    FormatName = Literal[tuple(FORMATS)]


def with_always(names: Iterable[str]) -> tuple[str, ...]:
    """The formats to write: those named and ALWAYS, each once, in the order of the table.

    >>> with_always(["npy", "parquet", "npy"])
    ('word2vec', 'parquet', 'npy')
    """
    wanted = {ALWAYS, *names}
    return tuple(name for name in FORMATS if name in wanted)


def require_libraries(names: Iterable[str]) -> None:
    """Checks that what the formats need is installed, without importing it.

    Raises:
      InputError: it is not.
    """
    for name in names:
        library, extra = FORMATS[name].library, FORMATS[name].extra
        if library and importlib.util.find_spec(library) is None:
            raise InputError(
                f"the format {name} needs the library {library}, which is not installed: give "
                f"`pip install 'skipgram-pipeline[{extra}]'`, or take {name} out of "
                "exporter.formats"
            )
