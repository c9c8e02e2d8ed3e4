"""What a run gave, collected from its artifacts."""

import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.corpus_gate.component import COMPARISON_FILE
from components.embedding_comparison.comparison import Comparison
from components.embedding_evaluator.intrinsic import set_metrics
from components.text_example_gen.executor import READING_FILE
from pipeline import graph
from pipeline.config import Config, as_dict
from pipeline.corpus.dates import Corpus
from pipeline.results.figures import Figures
from pipeline.results.records import ComponentRun, Reading, Summary
from pipeline.results.verdict import verdict
from trainer_module.run_fn import TRAINING_FILE
from trainer_module.training.record import TrainingRecord

# By component and output key.
OutputArtifacts = Mapping[tuple[str, str], mlmd.Artifact]

_PACKAGES = ("skipgram-pipeline", "tfx", "tensorflow", "apache-beam", "numpy")


def collect(
    run: str,
    config: Config,
    artifacts: OutputArtifacts,
    components: Sequence[ComponentRun],
    corpus: Corpus,
) -> Summary:
    """Puts a summary together.

    Args:
      run: its name.
      config: of the run.
      artifacts: of the run, by component and output key.
      components: how each ended.
      corpus: what it read.
    """
    reading = Reading.read(Path(artifacts["TextExampleGen", "examples"].uri, READING_FILE))
    evaluation = artifacts["Evaluator", "evaluation"].uri
    figures = Figures.read(evaluation)
    comparison = Comparison.read(Path(artifacts["EmbeddingComparison", "comparison"].uri))
    blessing = artifacts["EmbeddingComparison", "blessing"]
    blessed = blessing.custom_properties["blessed"].int_value == 1
    said = verdict(
        config.evaluator,
        config.trainer.epochs,
        figures,
        comparison,
        blessed=blessed,
    )
    return Summary(
        run=run,
        documents=reading.documents,
        documents_eval=reading.documents_eval,
        copies_eval=reading.copies_eval,
        read=reading.of_kind or None,
        corpus=_corpus(config, corpus, artifacts),
        objective=config.trainer.objective,
        seed=config.seed,
        **_of_training(_training(artifacts)),
        metrics=figures.reported,
        slices=figures.slices,
        calibration=figures.calibration,
        **set_metrics.read(evaluation),
        blessed=blessed,
        verdict=said,
        replaced_characters=reading.replaced_characters,
        empty_lines=reading.empty_lines,
        space_id=comparison.space_id,
        moved=comparison.numbers,
        **_of_components(components),
        why_not_blessed=None if blessed else said,
        configuration=as_dict(config),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    """Of what a model depends on."""
    installed = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **installed}


def _of_training(training: TrainingRecord) -> dict[str, Any]:
    """The fields that say what training gave."""
    speeds = training.pairs_per_second_of_workers
    same = (
        *("tokens", "vocabulary_size", "distinct_tokens_left_out", "num_contexts"),
        *("pairs_train", "pairs_eval", "train_loss", "sampled_losses", "full_loss"),
        *("evaluations", "kept_step", "resumed_at_step", "warm_start", "threads"),
    )
    return {name: getattr(training, name) for name in same} | {
        "workers": len(speeds),
        "pairs_per_second": round(training.pairs_per_second),
        "pairs_per_second_of_workers": tuple(map(round, speeds)),
    }


def _of_components(components: Sequence[ComponentRun]) -> dict[str, Any]:
    """The fields that say how the components ended."""
    return {
        "seconds": {one.component: round(one.seconds, 2) for one in components},
        "cached": tuple(one.component for one in components if one.cached),
        "all_cached": _all_cached(components),
        "peak_memory_megabytes": {
            one.component: round(one.peak_memory_bytes / 1e6) for one in components
        },
    }


def _training(artifacts: OutputArtifacts) -> TrainingRecord:
    written = Path(artifacts["Trainer", "model_run"].uri, TRAINING_FILE)
    return TrainingRecord.from_json(written.read_text(encoding="utf-8"))


def _corpus(config: Config, corpus: Corpus, artifacts: OutputArtifacts) -> dict[str, Any]:
    """Its days, and how it compares with the last blessed run's; see Summary.corpus."""
    written = Path(artifacts["CorpusGate", "figures"].uri, COMPARISON_FILE)
    figures: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    if corpus.date is None:
        return figures
    missing = [str(day) for day in corpus.missing]
    days = {"date": str(corpus.date), "days": config.corpus.days, "missing_days": missing}
    return {**days, **figures}


def _all_cached(components: Sequence[ComponentRun]) -> bool:
    return all(one.cached for one in components if one.component not in graph.LOOK_UPS)
