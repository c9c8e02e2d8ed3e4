"""Which documents are held out for evaluation: their content alone decides it, by kind of corpus.

    kind       what is held out                its document in the eval split
    text       a document                      itself
    sessions   the last item of a session      b"last-but-one<TAB>last"
    edges      an edge                         b"node node", or b"node<TAB>node" if it is directed
    pairs      a pair                          b"target<TAB>context", or with its weight

Whatever is the same by `split_key` is on one side: near-copies of a text, all sessions that end in
the same two items, an edge in both of its directions, a pair with each of its weights.
"""

from trainer_module.text.near_copies import hash_of, near_copy_hash

# The finest eval_fraction is one thousandth.
BUCKETS = 1000
TEXT = "text"


def held_out_buckets(eval_fraction: float) -> int:
    """Returns how many of the BUCKETS of documents are held out for evaluation: at least one."""
    return min(max(round(eval_fraction * BUCKETS), 1), BUCKETS - 1)


def split_key(document: bytes, kind: str) -> int:
    r"""Returns 64 bits whose remainder by BUCKETS says on which side of the split a document is.

    Args:
      document: UTF-8, in the form that it has in the eval split.
      kind: of the corpus, `corpus.kind`.

    >>> pair = split_key(b"A\tB", "pairs")
    >>> split_key(b"A\tB\t2.5", "pairs") == pair != split_key(b"B\tA", "pairs")
    True
    >>> split_key(b"B A", "edges") == split_key(b"A B", "edges") != split_key(b"a b", "edges")
    True
    """
    if kind == TEXT:
        return near_copy_hash(document)
    given = document.split(b"\t")
    if len(given) == 1:
        return hash_of(b" ".join(sorted(document.split(b" "))))
    return hash_of(b"\t".join(given[:2]))


def train_key(document: bytes) -> int:
    """Returns 64 bits that copies of a document share, on the side of the split that is trained on.

    For documents that something else than their own content put there: the rest of a session, a
    walk over the edges of the train split.
    """
    return hash_of(document) // BUCKETS * BUCKETS


def is_held_out_key(key: int, eval_fraction: float) -> bool:
    """Says whether what has this split_key is in the eval split of that fraction."""
    return key % BUCKETS >= BUCKETS - held_out_buckets(eval_fraction)


def is_held_out(document: bytes, eval_fraction: float, kind: str = TEXT) -> bool:
    """Says whether a document is in the eval split of that fraction.

    The last buckets are, so the split of a smaller fraction is a part of that of a larger one.

    >>> held_out = [f"{n}".encode() for n in range(100) if is_held_out(f"{n}".encode(), 0.05)]
    >>> all(is_held_out(document, 0.1) for document in held_out)
    True
    """
    return is_held_out_key(split_key(document, kind), eval_fraction)
