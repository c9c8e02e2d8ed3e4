"""What the vectors of a graph's nodes are worth: node classification and link prediction.

The protocol is the same for all trainers: raw vectors, scikit-learn's logistic regression with its
own regularisation (L2, C = 1). A node without a vector has one of zeros, and is counted.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

LABELLED = (0.1, 0.5, 0.9)
# Seeds of the splits: what is reported was never chosen by what it is reported on.
REPORTED, SEARCHED = range(10), range(100, 110)
Edge = tuple[str, str]
Edges = Sequence[Edge]
Floats = npt.NDArray[np.float32]


class Vectors(NamedTuple):
    """Of the nodes that a trainer kept."""

    nodes: Sequence[str]
    table: Floats  # [nodes, dim]

    def of(self, nodes: Sequence[str]) -> Floats:
        """`[len(nodes), dim]`, zeros for a node that was lost."""
        rows = {node: row for row, node in enumerate(self.nodes)}
        with_zeros = np.vstack([self.table, np.zeros_like(self.table[:1])])
        return with_zeros[[rows.get(node, len(rows)) for node in nodes]]


def read_edges(path: Path) -> list[Edge]:
    """The first two columns of a file: the ends of each edge, or nodes and their classes."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(first, second) for first, second, *_ in map(str.split, lines)]


def unordered(edge: Edge) -> Edge:
    """The same for both directions of an edge.

    >>> unordered(("b", "a"))
    ('a', 'b')
    """
    first, second = sorted(edge)
    return first, second


def classification(
    vectors: Vectors,
    labels: Mapping[str, str],
    *,
    shares: Sequence[float] = LABELLED,
    splits: Sequence[int] = REPORTED,
) -> dict[str, Any]:
    """F1 of one-vs-rest logistic regression, as in node2vec's paper.

    Args:
      vectors: of the nodes.
      labels: class by node.
      shares: of the nodes that are labelled.
      splits: seeds of the random splits.

    Returns:
      By share of labelled nodes: micro and macro F1, each the mean and the standard deviation over
      the splits. And how many nodes have no vector.
    """
    nodes = sorted(labels)
    table, classes = vectors.of(nodes), np.array([labels[node] for node in nodes])
    figures: dict[str, Any] = {"lost_nodes": len(set(nodes) - set(vectors.nodes))}
    for share in shares:
        found = np.array([_f1(table, classes, share, seed) for seed in splits])
        figures[f"{share:.0%}"] = {
            name: [round(float(column.mean()), 4), round(float(column.std()), 4)]
            for name, column in zip(("micro", "macro"), found.T, strict=True)
        }
    return figures


def _f1(table: Floats, classes: npt.NDArray[np.str_], share: float, seed: int) -> list[float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    from sklearn.multiclass import OneVsRestClassifier

    known, asked = train_test_split(np.arange(len(table)), train_size=share, random_state=seed)
    model = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
    predicted = model.fit(table[known], classes[known]).predict(table[asked])
    return [f1_score(classes[asked], predicted, average=name) for name in ("micro", "macro")]


class Links(NamedTuple):
    """Edges to learn from and edges to find, each with as many pairs that are none."""

    train: Edges
    held_out: Edges
    train_non_edges: Edges
    held_out_non_edges: Edges


def draw_non_edges(train: Edges, held_out: Edges, *, seed: int) -> Links:
    """Draws pairs of nodes, uniformly, that are edges of neither kind; no pair is drawn twice.

    Raises:
      ValueError: there are fewer such pairs than edges.
    """
    nodes = sorted({node for edge in (*train, *held_out) for node in edge})
    taken = {unordered(edge) for edge in (*train, *held_out)}
    there_are = math.comb(len(nodes), 2) - sum(first != second for first, second in taken)
    if there_are < len(train) + len(held_out):
        raise ValueError(f"a graph of {len(nodes)} nodes with {there_are} pairs without an edge")
    generator = np.random.default_rng(seed)
    drawn: list[Edge] = []
    while len(drawn) < len(train) + len(held_out):
        first, second = generator.choice(len(nodes), 2, replace=False)
        pair = unordered((nodes[first], nodes[second]))
        if pair not in taken:
            taken.add(pair)
            drawn.append(pair)
    return Links(train, held_out, drawn[len(held_out) :], drawn[: len(held_out)])


def link_prediction(vectors: Vectors, links: Links) -> dict[str, Any]:
    """AUC and average precision of the held-out edges among as many non-edges.

    Returns:
      By `hadamard`, logistic regression on the products of two nodes' numbers, learned from the
      train edges and their non-edges; and by `dot`, the plain inner product. And how many nodes of
      the held-out edges have no vector.
    """
    from sklearn.linear_model import LogisticRegression

    train, train_is_edge = _products(vectors, links.train, links.train_non_edges)
    held_out, is_edge = _products(vectors, links.held_out, links.held_out_non_edges)
    model = LogisticRegression(max_iter=1000).fit(train, train_is_edge)
    asked = {node for edge in links.held_out for node in edge}
    return {
        "lost_nodes": len(asked - set(vectors.nodes)),
        "hadamard": _ranking(is_edge, model.decision_function(held_out)),
        "dot": _ranking(is_edge, held_out.sum(1)),
    }


def _products(vectors: Vectors, edges: Edges, non_edges: Edges) -> tuple[Floats, npt.NDArray[Any]]:
    first, second = zip(*edges, *non_edges, strict=True)
    return vectors.of(first) * vectors.of(second), np.repeat([1, 0], [len(edges), len(non_edges)])


def _ranking(is_edge: npt.NDArray[Any], scores: Floats) -> dict[str, float]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    return {
        "auc": round(float(roc_auc_score(is_edge, scores)), 4),
        "average_precision": round(float(average_precision_score(is_edge, scores)), 4),
    }
