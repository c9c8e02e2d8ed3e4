"""Who makes vectors of a graph's nodes: our Trainer, gensim's on the same walks, and PecanPy."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import trainers
from benchmarks.corpus import Corpus
from benchmarks.graphs.tasks import Edges, Vectors
from trainer_module.hyperparameters import PreprocessingHyperparameters

Settings = dict[str, Any]


class Made(NamedTuple):
    """What a trainer made, and what it took."""

    vectors: Vectors
    cpu_seconds: float  # of this process and of those it started


def ours(prepared: Corpus, preprocessing: Settings, settings: Settings) -> trainers.Figures:
    """Our Trainer on what Transform made; to be called in a process of its own.

    Args:
      prepared: by the pipeline.
      preprocessing: as the pipeline had them.
      settings: of TrainerHyperparameters.

    Returns:
      A Made.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    group = trainers.begin()
    made_by = PreprocessingHyperparameters(**preprocessing)
    known, train_split, eval_split = trainers.transformed(prepared, 1, made_by)
    figures = trainers.train(group, known, train_split, eval_split, **settings)
    nodes = [token.decode() for token in known.tokens]
    return {"made": Made(Vectors(nodes, figures["table"]), figures["cpu_seconds_to_vectors"])}


def gensims(
    walks: Sequence[list[str]],
    *,
    window: int,
    dim: int,
    epochs: int = 1,
    negative: int = 5,
    seed: int = 1,
) -> trainers.Figures:
    """gensim's Word2Vec on the same walks, one thread, so that its vectors can be had again.

    Args:
      walks: the train documents.
      window: as ours.
      dim: as ours.
      epochs: as ours.
      negative: negatives a pair; the rest is what gensim has by default, such as a rate of 0.025.
      seed: of the model.

    Returns:
      A Made.
    """
    from gensim.models import Word2Vec

    started = time.process_time()
    model = Word2Vec(
        walks, sg=1, vector_size=dim, window=window, negative=negative, sample=0, min_count=1,
        workers=1, seed=seed, epochs=epochs,
    )  # fmt: skip
    seconds = round(time.process_time() - started, 1)
    return {"made": Made(Vectors(model.wv.index_to_key, model.wv.vectors), seconds)}


def pecanpys(program: Path, edges: Edges, *, dim: int) -> Made:
    """PecanPy's node2vec with its defaults, on walks of its own.

    Args:
      program: the command `pecanpy`, of an environment of its own.
      edges: to train on; it does not know of other nodes.
      dim: as ours.
    """
    from gensim.models import KeyedVectors

    with tempfile.TemporaryDirectory() as folder:
        graph, found = Path(folder, "edges.edg"), Path(folder, "vectors.txt")
        graph.write_text("".join(f"{first}\t{second}\n" for first, second in edges))
        before = _seconds_of_children()
        subprocess.run(
            [
                *(program, "--input", graph, "--output", found, "--delimiter", "\t"),
                *("--dimensions", str(dim), "--workers", "1", "--random_state", "1"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = round(_seconds_of_children() - before, 1)
        model = KeyedVectors.load_word2vec_format(str(found))
    return Made(Vectors(model.index_to_key, model.vectors), seconds)


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
