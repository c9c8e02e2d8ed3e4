"""CPU seconds of pecanpy's walks on one thread, as JSON: `pecanpy_walks.py EDGES NODES`.

Run by an interpreter that has pecanpy, which is none of this project's packages. It compiles its
loop anew for each call, so what a walk takes is the difference of a call with more walks and one
with fewer. Its walk_length counts steps, not nodes.
"""

import json
import resource
import sys
from typing import Any

# A node's walks in the two calls.
FEWER, MORE = 1, 11


def main(path: str, walk_length: int) -> None:
    """Measures and prints."""
    from numba import set_num_threads
    from pecanpy import pecanpy

    set_num_threads(1)
    rows = [
        _measured(way, path, walk_length, p, q)
        for p, q in ((1.0, 1.0), (0.25, 4.0))
        for way in (pecanpy.FirstOrderUnweighted, pecanpy.PreComp, pecanpy.SparseOTF)
        if p == 1 or way is not pecanpy.FirstOrderUnweighted
    ]
    print(json.dumps(rows))


def _measured(way: Any, path: str, walk_length: int, p: float, q: float) -> dict[str, Any]:
    graph = way(p=p, q=q, workers=1, random_state=1)
    graph.read_edg(path, weighted=False, directed=False)
    begun = cpu_seconds()
    graph.preprocess_transition_probs()
    prepared = cpu_seconds()
    fewer = len(graph.simulate_walks(FEWER, walk_length - 1))
    between = cpu_seconds()
    more = len(graph.simulate_walks(MORE, walk_length - 1))
    seconds = (cpu_seconds() - between) - (between - prepared)
    return {
        "walker": f"pecanpy {way.__name__}",
        "p": p,
        "q": q,
        "prepared_seconds": round(prepared - begun, 1),
        "walks_a_second": round((more - fewer) / seconds),
    }


def cpu_seconds() -> float:
    """Of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
