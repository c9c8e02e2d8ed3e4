"""Factors by implicit, in an environment that has it: TABLE.npz FACTORS.npz als|bpr SETTINGS.

It imports nothing of this project's.
"""

import importlib
import json
import sys

import numpy as np
import scipy.sparse

_CLASSES = {"als": "AlternatingLeastSquares", "bpr": "BayesianPersonalizedRanking"}


def main(table: str, found: str, model: str, settings: str) -> None:
    """Trains on one thread, and writes `targets` and `contexts`, one row each."""
    made_by = getattr(importlib.import_module(f"implicit.{model}"), _CLASSES[model])
    trained = made_by(random_state=1, num_threads=1, use_gpu=False, **json.loads(settings))
    trained.fit(scipy.sparse.load_npz(table), show_progress=False)
    np.savez(found, targets=trained.user_factors, contexts=trained.item_factors)


if __name__ == "__main__":
    main(*sys.argv[1:])
