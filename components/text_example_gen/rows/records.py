"""From sessions, edges and pairs to documents, each with what decides its side of the split."""

from collections.abc import Iterable, Iterator

from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.rows.cutting import cut
from components.text_example_gen.rows.pairs import Edge
from trainer_module.text.split import is_held_out_key, split_key, train_key

# A document behind its key: the remainder by split.BUCKETS is its split, and copies have the same.
Record = tuple[int, bytes]


def records_of_sessions(
    sessions: Iterable[tuple[int, list[bytes]]], name: str, options: Options, counts: ReadingCounts
) -> Iterator[Record]:
    """Yields the documents of each session: itself, or what is left of it and what is held out.

    Args:
      sessions: the number of its row and its items.
      name: the file's, for errors.
      options: how to read.
      counts: is added to.

    Raises:
      InputError: an item is longer than a document.
    """
    for number, items in sessions:
        if len(items) > 1:
            held_out = b"\t".join(items[-2:])
            key = split_key(held_out, options.kind)
            if is_held_out_key(key, options.eval_fraction):
                yield key, held_out
                items = items[:-1]
        documents = list(cut(b" ".join(items), name, number, options.max_document_bytes))
        counts.cut_lines += len(documents) > 1
        yield from ((train_key(document), document) for document in documents)


def records_of_pairs(
    pairs: Iterable[Edge], options: Options, counts: ReadingCounts
) -> Iterator[Record]:
    """Yields the document of each pair."""
    for pair in pairs:
        counts.pairs += 1
        document = given_pair(pair)
        yield split_key(document, options.kind), document


def records_of_edges(
    edges: Iterable[Edge], options: Options, counts: ReadingCounts
) -> Iterator[Record | Edge]:
    """Yields the documents of each edge; of one of the train split the edge, if there are walks."""
    for edge in edges:
        counts.edges += 1
        held_out = unweighted(edge, directed=options.directed)
        key = split_key(held_out, options.kind)
        if is_held_out_key(key, options.eval_fraction):
            counts.edges_held_out += 1
            yield key, held_out
        elif options.num_walks:
            yield edge
        else:
            documents = documents_of_edge(edge, directed=options.directed)
            yield from ((train_key(document), document) for document in documents)


def given_pair(pair: Edge) -> bytes:
    r"""The document of a directed pair, which says how often it occurs unless that is once.

    >>> [given_pair(Edge(b"a", b"b", weight)) for weight in (1.0, 2.0, 0.1)]
    [b'a\tb', b'a\tb\t2', b'a\tb\t0.1']
    """
    if pair.weight == 1:
        return b"%b\t%b" % (pair.target, pair.context)
    weight = repr(pair.weight).removesuffix(".0")
    return b"%b\t%b\t%b" % (pair.target, pair.context, weight.encode())


def unweighted(edge: Edge, *, directed: bool) -> bytes:
    r"""The document of an edge that is held out. Of an undirected one both directions are pairs.

    >>> edge = Edge(b"b", b"a", 3.0)
    >>> unweighted(edge, directed=False), unweighted(edge, directed=True)
    (b'a b', b'b\ta')
    """
    if directed:
        return b"%b\t%b" % (edge.target, edge.context)
    return b" ".join(sorted((edge.target, edge.context)))


def documents_of_edge(edge: Edge, *, directed: bool) -> list[bytes]:
    r"""The documents to train on without walks: a weight is how often a pair occurs.

    >>> documents_of_edge(Edge(b"b", b"a"), directed=False)
    [b'a b']
    >>> documents_of_edge(Edge(b"b", b"a", 0.5), directed=False)
    [b'b\ta\t0.5', b'a\tb\t0.5']
    """
    if directed:
        return [given_pair(edge)]
    if edge.weight == 1:
        return [unweighted(edge, directed=False)]
    return [given_pair(edge), given_pair(Edge(edge.context, edge.target, edge.weight))]
