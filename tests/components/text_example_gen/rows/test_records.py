"""What is held out, beside a reference that goes by its definition."""

import hashlib
import io
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.text_example_gen import reading
from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.rows.pairs import Edge
from trainer_module.text.split import is_held_out

ITEM = st.sampled_from(["a", "A", "b", "7", "07", "ü", "n-1"])
WEIGHT = st.sampled_from([1.0, 1.0, 0.25, 2.0])
EDGES = st.lists(st.tuples(ITEM, ITEM, WEIGHT), max_size=30)


def in_eval(text: str, fraction: float) -> bool:
    """By the definition: 8 bytes of BLAKE2b, their remainder among the last of 1000."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return int(digest, 16) % 1000 >= 1000 - round(1000 * fraction)


def read(
    rows: Sequence[Sequence[object]], kind: str, fraction: float = 0.5, **options: object
) -> tuple[Counter[str], Counter[str], list[Edge], ReadingCounts]:
    """The documents to train on and those held out, by the remainders of their keys; edges."""
    data = "".join(" ".join(map(str, row)) + "\n" for row in rows).encode()
    counts = ReadingCounts()
    made = Options(1000, fraction, kind, **options)
    train, held_out, edges = Counter[str](), Counter[str](), list[Edge]()
    for record in reading.read_records(io.BytesIO(data), "a.txt", made, counts):
        if isinstance(record, Edge):
            edges.append(record)
            continue
        key, document = record
        is_train = key % 1000 < 1000 - round(1000 * fraction)
        (train if is_train else held_out)[document.decode()] += 1
    assert all(is_held_out(document.encode(), fraction, kind) for document in held_out)
    assert counts.documents == train.total() + held_out.total()
    return train, held_out, edges, counts


@given(st.lists(st.lists(ITEM, min_size=1, max_size=4), max_size=20))
def test_the_last_item_of_some_sessions_is_held_out(sessions: list[list[str]]) -> None:
    train, held_out = Counter[str](), Counter[str]()
    for session in sessions:
        last = "\t".join(session[-2:])
        if len(session) > 1 and in_eval(last, 0.5):
            held_out[last] += 1
            train[" ".join(session[:-1])] += 1
        else:
            train[" ".join(session)] += 1
    assert read(sessions, "sessions")[:2] == (train, held_out)
    assert read(sessions, "sessions")[3].sessions == len(sessions)


@given(EDGES, st.booleans())
def test_edges_without_walks(edges: list[tuple[str, str, float]], directed: bool) -> None:
    train, held_out = Counter[str](), Counter[str]()
    for target, context, weight in edges:
        given_pair = f"{target}\t{context}" if directed else " ".join(sorted((target, context)))
        ends = "" if weight == 1 else f"\t{weight:g}"
        if in_eval(given_pair, 0.5):
            held_out[given_pair] += 1
        elif directed or ends:
            train[f"{target}\t{context}{ends}"] += 1
            if not directed:
                train[f"{context}\t{target}{ends}"] += 1
        else:
            train[given_pair] += 1
    found = read(edges, "edges", directed=directed)
    assert found[:3] == (train, held_out, [])
    assert found[3].edges == len(edges)
    assert found[3].edges_held_out == held_out.total()


@given(EDGES, st.booleans())
def test_walks_are_given_the_edges_that_are_not_held_out(
    edges: list[tuple[str, str, float]], directed: bool
) -> None:
    _, held_out, left, counts = read(edges, "edges", directed=directed, num_walks=1)
    assert read(edges, "edges", directed=directed)[1] == held_out
    assert counts.edges == len(edges) == len(left) + counts.edges_held_out
    of_left = {
        (edge.target, edge.context) if directed else frozenset((edge.target, edge.context))
        for edge in left
    }
    of_held_out = {
        tuple(one.encode().split(b"\t")) if directed else frozenset(one.encode().split(b" "))
        for one in held_out
    }
    assert not of_left & of_held_out


@given(EDGES)
def test_pairs(pairs: list[tuple[str, str, float]]) -> None:
    train, held_out = Counter[str](), Counter[str]()
    for target, context, weight in pairs:
        pair = f"{target}\t{context}"
        document = pair if weight == 1 else f"{pair}\t{weight:g}"
        (held_out if in_eval(pair, 0.5) else train)[document] += 1
    found = read(pairs, "pairs")
    assert found[:2] == (train, held_out)
    assert found[3].pairs == len(pairs)


@pytest.mark.parametrize("kind", ["sessions", "edges", "pairs"])
def test_the_share_is_what_was_asked_for(kind: str) -> None:
    draw = random.Random(1)
    rows = [[draw.randrange(1000), draw.randrange(1000)] for _ in range(20_000)]
    held_out = read(rows, kind, fraction=0.05)[1].total()
    assert abs(held_out - 1000) < 5 * 31  # five standard errors: sqrt(20000 * .05 * .95) = 31


def test_a_long_session_becomes_several_documents() -> None:
    session = [f"item{nth:04d}" for nth in range(500)]  # 9 bytes with a blank: 111 in 1000
    train, held_out, _, counts = read([session], "sessions", fraction=0.001)
    assert sorted(len(document.split()) for document in train) == [56, 111, 111, 111, 111]
    assert (held_out.total(), counts.cut_lines, counts.sessions) == (0, 1, 1)
