"""What `make bench` measures, on the quick-start run's own data: ratios, a peer or a limit each.

1. Trainer against gensim: words of the corpus a second, one epoch, the same tokens, dimension and
   window, all cores. gensim draws 5 negatives a pair, we score 256 shared candidates by
   `tf.nn.nce_loss`.
2. Trainer against its input: pairs a second that are trained, of those that could be read.
3. Evaluation: the full cross-entropies once per distinct target, against once per pair.
"""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from gensim.models import Word2Vec

from pipeline import metadata_store
from pipeline.output_folder import OutputFolder
from trainer_module import features, input_pipeline, losses, tokenization, training
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.model import SkipGramModel, unigram_log_probabilities

RESULTS = Path(__file__).with_name("results")
HYPERPARAMETERS = TrainerHyperparameters(epochs=1, checkpoint_seconds=1e9)
# Enough pairs that a repetition shows, few enough that scoring each alone ends.
PAIRS_EVALUATED = 20_000


def main() -> None:
    """Measures, prints and writes the results."""
    artifacts = _quick_start_artifacts()
    transform = tft.TFTransformOutput(artifacts["Transform", "transform_graph"].uri)
    examples = Path(artifacts["Transform", "transformed_examples"].uri)
    corpus = Path(artifacts["TextExampleGen", "examples"].uri)
    reader = _Reader(transform, sorted(map(str, (examples / "Split-train").iterdir())))
    model, seconds = _train(reader)
    input_seconds = _timed(lambda: sum(1 for _ in reader.batches()))
    results = {
        "machine": _machine(),
        "corpus_words": reader.counts.tokens,
        "pairs": reader.counts.pairs,
        "trainer_words_per_second": round(reader.counts.tokens / seconds),
        "trainer_pairs_per_second": round(reader.counts.pairs / seconds),
        "input_pairs_per_second": round(reader.counts.pairs / input_seconds),
        "trainer_share_of_input": round(input_seconds / seconds, 3),
        **_gensim(corpus, reader.counts.tokens / seconds),
        **_evaluation(model, reader),
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=2)
    (RESULTS / "quick_start.json").write_text(text + "\n")
    print(text)


def _quick_start_artifacts() -> dict[tuple[str, str], Any]:
    output = OutputFolder(Path("output"))
    subprocess.run([Path(sys.executable).with_name("skipgram"), "run"], check=True)
    store = metadata_store.open_store(output.metadata)
    return metadata_store.output_artifacts(store, metadata_store.runs(store)[0].run_id)


class _Reader:
    def __init__(self, transform: tft.TFTransformOutput, files: list[str]):
        self._files = files
        self._spec = transform.transformed_feature_spec()
        size = transform.vocabulary_size_by_name(features.VOCABULARY)
        self.counts = input_pipeline.count(files, self._spec, size)

    def batches(self) -> tf.data.Dataset:
        return input_pipeline.batches(self._files, self._spec, HYPERPARAMETERS.batch_size)


def _train(reader: _Reader) -> tuple[SkipGramModel, float]:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model = SkipGramModel(
            unigram_log_probabilities(reader.counts.context_counts),
            dim=HYPERPARAMETERS.dim,
            bias_initializer=HYPERPARAMETERS.bias_initializer,
            seed=1,
        )
    trainer = training.Trainer(strategy, model, HYPERPARAMETERS, pairs=reader.counts.pairs, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        seconds = _timed(lambda: trainer.train(reader.batches, folder, lambda _: None))
    return model, seconds


def _gensim(corpus: Path, our_words_per_second: float) -> dict[str, Any]:
    documents = list(_tokens(corpus / "Split-train"))
    model = Word2Vec(
        sg=1, vector_size=100, window=5, negative=5, sample=1e-4, min_count=5,
        workers=os.cpu_count() or 1, seed=1,
    )  # fmt: skip
    model.build_vocab(documents)
    words = sum(map(len, documents))
    seconds = _timed(lambda: model.train(documents, total_examples=len(documents), epochs=1))
    return {
        "gensim_words_per_second": round(words / seconds),
        "trainer_to_gensim": round(our_words_per_second / (words / seconds), 3),
    }


def _tokens(folder: Path) -> Iterator[list[str]]:
    files = sorted(map(str, folder.iterdir()))
    spec = {features.TEXT: tf.io.FixedLenFeature([], tf.string)}
    for batch in tf.data.TFRecordDataset(files, "GZIP").batch(1000):
        text = tf.io.parse_example(batch, spec)[features.TEXT]
        for row in tokenization.tokenize(text, "unicode_words").to_list():
            yield [token.decode() for token in row]


def _evaluation(model: SkipGramModel, reader: _Reader) -> dict[str, Any]:
    [(targets, contexts)] = reader.batches().unbatch().batch(PAIRS_EVALUATED).take(1)

    @tf.function
    def mean_loss(rows: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
        """Sums over the vocabulary for `rows`; `positions` says which of them a pair takes."""
        parts = tf.data.Dataset.from_tensor_slices(rows).batch(1000)
        sums = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False)
        for part in parts:
            inputs = tf.gather(model.target_table, part)
            found = losses.vocabulary_sums(inputs, model.context_weights, model.context_biases)
            sums = sums.write(sums.size(), found.log_partition)
        scores = tf.reduce_sum(
            tf.gather(model.target_table, targets) * tf.gather(model.context_weights, contexts), 1
        ) + tf.gather(model.context_biases, contexts)
        log_partition = tf.gather(sums.concat(), positions)
        return tf.reduce_mean(losses.full_softmax_cross_entropy(scores, log_partition))

    distinct, positions = tf.unique(targets)
    each = tf.range(tf.size(targets))
    once, per_pair = float(mean_loss(distinct, positions)), float(mean_loss(targets, each))
    assert abs(once - per_pair) < 1e-3, (once, per_pair)
    seconds = [
        _timed(lambda: float(mean_loss(distinct, positions))),
        _timed(lambda: float(mean_loss(targets, each))),
    ]
    return {
        "evaluated_pairs": int(tf.size(targets)),
        "evaluated_distinct_targets": int(tf.size(distinct)),
        "per_pair_to_per_distinct_target_seconds": round(seconds[1] / seconds[0], 1),
    }


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _machine() -> dict[str, Any]:
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("tensorflow", "gensim")},
    }


if __name__ == "__main__":
    main()
