"""Vectors as files: word2vec's, Parquet, safetensors, NumPy's.

Every writer takes an Export and the paths of its files on this machine, and returns figures for
the summary. None copies a table whole: a million tokens of 100 dimensions are 400 MB.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow
import pyarrow.parquet
from safetensors.numpy import save_file

from trainer_module.errors import InputError
from trainer_module.evaluation import word2vec_format
from trainer_module.evaluation.saved_model import SavedModel

# Rows of a row group of Parquet: with 100 dimensions 26 MB, which readers take one at a time.
_ROWS_AT_ONCE = 1 << 16

Figures = Mapping[str, float]


class Export(NamedTuple):
    """What is written."""

    model: SavedModel
    tokens: Sequence[str]  # [vocab]
    last_tokens: Sequence[str]  # of the last blessed model; none: there is none
    min_recall: float  # what an index for approximate search must reach

    @property
    def context_tokens(self) -> Sequence[str]:
        """`[contexts]`, those of the context vectors."""
        own = self.model.own_contexts
        return [token.decode() for token in own.tokens] if own else self.tokens


Writer = Callable[..., Figures]  # of an Export and the paths of its files


def word2vec(
    export: Export,
    text: Path,
    binary: Path,
    contexts: Path,
    vocab: Path,
    table: Path,
    context_vocab: Path,
) -> Figures:
    """word2vec's formats, the context vectors too, and the counts in two forms."""
    tokens, counts = export.tokens, export.model.vocabulary.counts.tolist()
    vectors = export.model.target_table
    write(text, (line.encode() for line in word2vec_format.text_lines(tokens, vectors)))
    write(binary, word2vec_format.binary_records(tokens, vectors))
    of_contexts = export.context_tokens
    write(contexts, word2vec_format.binary_records(of_contexts, export.model.context_weights))
    write_lines(vocab, _counted(tokens, counts))
    if export.model.own_contexts:
        counts_of_contexts = export.model.own_contexts.counts.tolist()
        write_lines(context_vocab, _counted(of_contexts, counts_of_contexts))
    write(table, (line.encode() for line in word2vec_format.vocabulary_lines(tokens, counts)))
    return {}


def _counted(tokens: Sequence[str], counts: Sequence[int]) -> Iterator[str]:
    return (f"{token} {n}" for token, n in zip(tokens, counts, strict=True))


def parquet(export: Export, path: Path) -> Figures:
    """Parquet with the columns token, count and vector; the space is in the file's metadata."""
    vectors, counts = export.model.target_table, export.model.vocabulary.counts
    dim = vectors.shape[1]
    columns = {
        "token": pyarrow.string(),
        "count": pyarrow.int64(),
        "vector": pyarrow.list_(pyarrow.float32(), dim),
    }
    schema = pyarrow.schema(columns, metadata={"space_id": export.model.settings.space_id})
    # No dictionary: tokens and numbers hardly ever repeat.
    with pyarrow.parquet.ParquetWriter(path, schema, use_dictionary=False) as file:
        for start in range(0, len(export.tokens), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            numbers = pyarrow.array(vectors[rows].reshape(-1))
            lists = pyarrow.FixedSizeListArray.from_arrays(numbers, dim)
            part = [pyarrow.array(export.tokens[rows]), pyarrow.array(counts[rows]), lists]
            file.write_table(pyarrow.table(part, schema=schema))
    return {}


def safetensors(export: Export, path: Path, tokens: Path, context_tokens: Path) -> Figures:
    """All of the model: `vectors @ context_vectors.T / temperature + context_biases` scores."""
    model = export.model
    tensors = {
        "vectors": model.target_table,
        "context_vectors": model.context_weights,
        "context_biases": model.corrected_biases,
        "counts": model.vocabulary.counts,
    }
    metadata = {
        "space_id": model.settings.space_id,
        "temperature": str(model.settings.temperature),
        "tokenizer": model.settings.tokenizer,
        "normalization": model.settings.normalization,
    }
    # It is given addresses: a table that is not in one piece would be written wrong.
    save_file({name: np.ascontiguousarray(it) for name, it in tensors.items()}, path, metadata)
    write_lines(tokens, export.tokens)
    if model.own_contexts:
        write_lines(context_tokens, export.context_tokens)
    shutil.copymode(tokens, path)  # the library lets nobody but its user read it
    return {}


def npy(export: Export, path: Path, tokens: Path) -> Figures:
    """NumPy's format, in float16: half of the bytes, three digits of each number."""
    with np.errstate(over="ignore"):  # said below
        halves = export.model.target_table.astype(np.float16)
    if not np.isfinite(halves).all():
        largest = float(np.abs(export.model.target_table).max())
        raise InputError(
            f"a vector holds {largest:,.0f}, and float16 ends at 65,504: take npy out of "
            "exporter.formats"
        )
    np.save(path, halves)
    write_lines(tokens, export.tokens)
    return {}


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes UTF-8 with a line end after each line."""
    write(path, (f"{line}\n".encode() for line in lines))


def write(path: Path, parts: Iterable[bytes]) -> None:
    """Writes a file part by part."""
    with path.open("wb") as file:
        file.writelines(parts)
