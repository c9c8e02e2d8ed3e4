"""One whole run of each kind of corpus beside text, on corpora of which the answer is known."""

import math
from collections.abc import Callable

import pytest
from gensim.models import KeyedVectors

from tests.end_to_end import kinds
from tests.end_to_end.commands import Run, Skipgram
from tests.end_to_end.kinds import GROUPS, MEMBERS
from trainer_module.text.split import is_held_out

pytestmark = pytest.mark.slow

RunOf = Callable[[str], Run]


@pytest.fixture
def sessions(run_of_kind: RunOf) -> Run:
    return run_of_kind("sessions")


@pytest.fixture
def edges(run_of_kind: RunOf) -> Run:
    return run_of_kind("edges")


@pytest.fixture
def pairs(run_of_kind: RunOf) -> Run:
    return run_of_kind("pairs")


def test_the_next_item_of_a_session_is_the_most_probable_context(
    sessions: Run, skipgram: Skipgram
) -> None:
    summary = sessions.summary
    assert summary["blessed"] is True
    assert summary["recall_at_10"] > 0.95
    assert summary["ndcg_at_10"] > 1 / math.log2(1 + 4)  # those near it on either side
    ended = skipgram(
        *("contexts", "g1-3", "-k", "2", "--format", "tsv", "--output", str(sessions.output))
    )
    assert {line.split("\t")[1] for line in ended.stdout.splitlines()[1:]} <= {"g1-2", "g1-4"}


def test_the_last_items_of_sessions_are_held_out_and_nothing_else(sessions: Run) -> None:
    ends = ["\t".join(session.split()[-2:]) for session in kinds.sessions()]
    held_out = sum(is_held_out(end.encode(), 0.05, "sessions") for end in ends)
    assert sessions.summary["pairs_eval"] == sessions.summary["documents_eval"] == held_out > 0
    vectors = KeyedVectors.load_word2vec_format(str(sessions.output / "vectors" / "vectors.txt"))
    assert len(vectors) == GROUPS * MEMBERS


def test_no_node_of_a_graph_is_lost_and_held_out_edges_are_found(edges: Run) -> None:
    vectors = KeyedVectors.load_word2vec_format(str(edges.output / "vectors" / "vectors.txt"))
    assert len(vectors) == 60 + 60
    summary = edges.summary
    assert summary["blessed"] is True
    assert summary["auc"] > 0.8
    read = summary["read"]
    assert read["nodes"] == 120
    assert 0 < read["isolated_nodes"] < 20
    # Both directions of each.
    assert summary["pairs_eval"] == 2 * read["edges_held_out"]


def test_users_and_items_have_vectors_of_their_own(pairs: Run, skipgram: Skipgram) -> None:
    assert pairs.summary["blessed"] is True
    read = KeyedVectors.load_word2vec_format
    users = read(str(pairs.output / "vectors" / "vectors.txt"))
    items = read(str(pairs.output / "vectors" / "context_vectors.bin"), binary=True)
    assert sorted(users.index_to_key) == sorted(f"user{number}" for number in range(60))
    assert len(items) == GROUPS * MEMBERS
    assert all(
        int(name.removeprefix("user")) % GROUPS == 1 for name, _ in users.most_similar("user1")
    )
    ended = skipgram(
        *("contexts", "user4", "-k", "10", "--format", "tsv", "--output", str(pairs.output))
    )
    found = {line.split("\t")[1] for line in ended.stdout.splitlines()[1:]}
    assert found == {f"item1-{number}" for number in range(MEMBERS)}
