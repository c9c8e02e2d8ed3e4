"""Arrays in files: edges while they are gathered, and a graph that all workers read."""

import os
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.random_walks.graph import Edges, Graph
from components.text_example_gen.files import is_remote
from components.tfx_api import fileio

_Array = npt.NDArray[Any]
# An array of ids is two: their bytes, one behind the other, and where each begins.
_IDS = ("bytes_of_ids", "offsets_of_ids")


def write_edges(path: str, edges: Edges) -> None:
    """Writes edges into a file."""
    with fileio.open(path, "wb") as file:
        for array in _arrays(edges):
            np.lib.format.write_array(file, array)


def read_edges(path: str) -> Edges:
    """Reads what write_edges wrote."""
    with fileio.open(path, "rb") as file:
        text, offsets, *others = (_read(file) for _ in range(len(_IDS) + len(Edges._fields[1:])))
    return Edges(_ids(text, offsets), *others)


def write_graph(folder: str, graph: Graph) -> None:
    """Writes a graph into a new folder."""
    fileio.makedirs(folder)
    names = (*_IDS, *Graph._fields[1:])
    for name, array in zip(names, _arrays(graph), strict=True):
        with fileio.open(_path(folder, name), "wb") as file:
            np.lib.format.write_array(file, array)


def read_graph(folder: str) -> Graph:
    """Reads what write_graph wrote; on this machine it stays in its files, for all processes."""
    text, offsets, *others = (_mapped(_path(folder, name)) for name in (*_IDS, *Graph._fields[1:]))
    return Graph(_ids(text, offsets), *others)


def _path(folder: str, name: str) -> str:
    return os.path.join(folder, f"{name}.npy")


def _mapped(path: str) -> _Array:
    if not is_remote(path):
        # A view of it, as each thing taken from a memmap is one again, at some cost.
        return np.asarray(np.load(path, mmap_mode="r"))
    with fileio.open(path, "rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> _Array:
    array: _Array = np.lib.format.read_array(file)
    return array


def _arrays(table: Edges | Graph) -> tuple[_Array, ...]:
    return (*_of_ids(table.ids), *table[1:])


def _of_ids(ids: pa.LargeBinaryArray) -> tuple[_Array, _Array]:
    _, offsets, text = ids.buffers()
    ends = np.frombuffer(offsets, np.int64)[ids.offset : ids.offset + len(ids) + 1]
    return np.frombuffer(text, np.uint8)[: ends[-1]], ends


def _ids(text: _Array, offsets: _Array) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)
