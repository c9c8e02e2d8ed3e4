"""What finds contexts without us: popularity, counts, and factors of the table of pairs."""

import json
import os
import resource
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

from benchmarks.given_pairs.held_out import HeldOut, Scorer
from benchmarks.sessions.next_item import Ids, Scores

_FACTORS = Path(__file__).with_name("implicit_factors.py")


def table_of(held: HeldOut) -> Any:
    """How often each target has each context, `[targets, contexts]` float32, sparse."""
    ones = np.ones(len(held.train), np.float32)
    shape = (len(held.targets.names), len(held.contexts.names))
    return scipy.sparse.coo_matrix((ones, tuple(held.train.T)), shape).tocsr()


def popularity(held: HeldOut) -> dict[str, Scorer]:
    """The most frequent contexts, whatever the target."""
    counts = held.contexts.counts.astype(np.float32)
    return {"": lambda targets: np.tile(counts, [len(targets), 1])}


def knn(held: HeldOut) -> dict[str, Scorer]:
    """The contexts that other targets have beside those that this one has: item-kNN.

    Of two contexts: how many pairs they share targets by, or the cosine of their columns.
    """
    table = table_of(held)
    counts = (table.T @ table).tocsr()
    counts.setdiag(0)
    norms = np.sqrt(np.asarray(table.multiply(table).sum(0)).ravel())
    units = scipy.sparse.diags(1 / np.maximum(norms, 1e-9))
    cosines = (units @ counts @ units).tocsr()
    return {
        "counts": lambda targets: _dense(table[targets] @ counts),
        "cosine": lambda targets: _dense(table[targets] @ cosines),
    }


def svd(held: HeldOut, *, dim: int, seed: int = 1) -> dict[str, Scorer]:
    """Truncated singular values of the table (PureSVD, Cremonesi et al. 2010)."""
    from sklearn.decomposition import TruncatedSVD

    model = TruncatedSVD(dim, random_state=seed)
    targets = model.fit_transform(table_of(held))
    return by_products(Factors(targets.astype(np.float32), model.components_.T))


class Factors(NamedTuple):
    """Vectors of both sides."""

    targets: Scores  # [targets, dim]
    contexts: Scores  # [contexts, dim]


def by_products(factors: Factors) -> dict[str, Scorer]:
    """Scores that are inner products."""

    def scores(targets: Ids) -> Scores:
        return np.asarray(factors.targets[targets] @ factors.contexts.T, np.float32)

    return {"": scores}


def implicits(held: HeldOut, *, python: str, model: str, **settings: Any) -> dict[str, Scorer]:
    """A model of implicit's, in an environment of its own.

    Args:
      held: what to train on.
      python: that of the environment.
      model: "als" or "bpr".
      settings: of implicit's class.
    """
    with tempfile.TemporaryDirectory() as folder:
        table, found = Path(folder, "table.npz"), Path(folder, "factors.npz")
        scipy.sparse.save_npz(table, table_of(held))
        subprocess.run(
            [python, _FACTORS, table, found, model, json.dumps(settings)],
            check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        with np.load(found) as factors:
            return by_products(Factors(factors["targets"], factors["contexts"]))


def cpu_seconds() -> float:
    """Of this process, and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _dense(rows: Any) -> Scores:
    return np.asarray(rows.todense(), np.float32)
