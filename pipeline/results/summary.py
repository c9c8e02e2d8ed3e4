"""What a run gave, collected from its artifacts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow_model_analysis as tfma
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.embedding_evaluator.metrics import FORMULAS
from components.text_example_gen.executor import READING_FILE
from pipeline import graph
from pipeline.config import Config
from pipeline.results.records import ComponentRun, Reading, Summary
from trainer_module.run_fn import TRAINING_FILE
from trainer_module.training.record import TrainingRecord

# By component and output key.
OutputArtifacts = Mapping[tuple[str, str], mlmd.Artifact]

# Of the Evaluator's metrics those that its thresholds and sentences need, and people do not.
_NOT_REPORTED = ("gain_over_unigram", "num_pairs")


def collect(
    run: str, config: Config, artifacts: OutputArtifacts, components: Sequence[ComponentRun]
) -> Summary:
    """Puts a summary together.

    Args:
      run: its name.
      config: of the run.
      artifacts: of the run, by component and output key.
      components: how each ended.
    """
    reading = Reading.read(Path(artifacts["TextExampleGen", "examples"].uri, READING_FILE))
    written = Path(artifacts["Trainer", "model_run"].uri, TRAINING_FILE)
    training = TrainingRecord.from_json(written.read_text(encoding="utf-8"))
    metrics = candidate_metrics(Path(artifacts["Evaluator", "evaluation"].uri))
    blessing = artifacts["Evaluator", "blessing"].custom_properties["blessed"].int_value
    why = None if blessing == 1 else why_not_blessed(config, artifacts)
    return Summary(
        run=run,
        documents=reading.documents,
        documents_eval=reading.documents_eval,
        copies_eval=reading.copies_eval,
        tokens=training.tokens,
        vocabulary_size=training.vocabulary_size,
        distinct_tokens_left_out=training.distinct_tokens_left_out,
        pairs_train=training.pairs_train,
        pairs_eval=training.pairs_eval,
        objective=config.trainer.objective,
        seed=config.seed,
        train_loss=training.train_loss,
        sampled_losses=training.sampled_losses,
        full_loss=training.full_loss,
        evaluations=training.evaluations,
        kept_step=training.kept_step,
        metrics=_reported(metrics),
        blessed=blessing == 1,
        replaced_characters=reading.replaced_characters,
        empty_lines=reading.empty_lines,
        workers=len(training.pairs_per_second_of_workers),
        pairs_per_second=round(training.pairs_per_second),
        pairs_per_second_of_workers=tuple(map(round, training.pairs_per_second_of_workers)),
        resumed_at_step=training.resumed_at_step,
        seconds={one.component: round(one.seconds, 2) for one in components},
        cached=tuple(one.component for one in components if one.cached),
        all_cached=_all_cached(components),
        peak_memory_megabytes={
            one.component: round(one.peak_memory_bytes / 1e6) for one in components
        },
        verdict=why or _why_blessed(config, artifacts),
        why_not_blessed=why,
    )


def _reported(metrics: Mapping[str, float]) -> dict[str, float]:
    """In the order of the formulas, by which TFMA does not go."""
    return {name: metrics[name] for name in FORMULAS if name not in _NOT_REPORTED}


def _all_cached(components: Sequence[ComponentRun]) -> bool:
    # A look-up in the metadata store is no work that could be saved.
    return all(one.cached for one in components if one.component != graph.LAST_BLESSED_MODEL)


def candidate_metrics(evaluation: Path) -> dict[str, float]:
    """The metrics of the new model from the Evaluator's artifact."""
    return _metrics(evaluation, is_baseline=False)


def _metrics(evaluation: Path, *, is_baseline: bool) -> dict[str, float]:
    specs = tfma.load_eval_result(str(evaluation)).config.model_specs
    names = [spec.name for spec in specs if spec.is_baseline == is_baseline]
    if not names:
        return {}
    result = tfma.load_eval_result(str(evaluation), model_name=names[0])
    [(_, values)] = result.slicing_metrics
    return {name: value["doubleValue"] for name, value in values[""][""].items()}


def _why_blessed(config: Config, artifacts: OutputArtifacts) -> str:
    """One sentence: by how much."""
    evaluation = Path(artifacts["Evaluator", "evaluation"].uri)
    new, last = candidate_metrics(evaluation), _metrics(evaluation, is_baseline=True)
    compared = config.evaluator.compared_metric
    sentence = (
        f"the model is blessed: its full softmax cross-entropy is {new['gain_over_unigram']:.4f} "
        "below the unigram model's"
    )
    if not last:
        return f"{sentence}, and there is no other blessed model to compare it with"
    return (
        f"{sentence}, and its {compared} {new[compared]:.4f} is "
        f"{new[compared] - last[compared]:+.4f} from the last blessed model's {last[compared]:.4f}"
    )


def why_not_blessed(config: Config, artifacts: OutputArtifacts) -> str:
    """One sentence: which threshold was missed, by which numbers."""
    evaluation = Path(artifacts["Evaluator", "evaluation"].uri)
    new = candidate_metrics(evaluation)
    last = _metrics(evaluation, is_baseline=True)
    missed = []
    gain = new["gain_over_unigram"]
    if not gain >= config.evaluator.min_gain_over_unigram:
        missed.append(
            f"its full softmax cross-entropy {new['full_softmax_cross_entropy']:.4f} on "
            f"{new['num_pairs']:,.0f} held-out pairs is {abs(gain):.4f} "
            f"{'above' if gain < 0 else 'below'} the unigram model's "
            f"{new['unigram_cross_entropy']:.4f}, and evaluator.min_gain_over_unigram asks for "
            f"{config.evaluator.min_gain_over_unigram}: raise trainer.epochs (it is "
            f"{config.trainer.epochs}) with trainer.keep=best, add text, or ask for less"
        )
    compared = config.evaluator.compared_metric
    if last and (increase := new[compared] - last[compared]) > config.evaluator.max_increase:
        missed.append(
            f"its {compared} {new[compared]:.4f} is {increase:.4f} above the last blessed "
            f"model's {last[compared]:.4f}, and evaluator.max_increase allows "
            f"{config.evaluator.max_increase}: raise it, or give what is of another kind, such as "
            "another objective, an --output of its own"
        )
    reasons = "; and ".join(missed) or "the evaluation says so (artifacts/Evaluator/evaluation)"
    return f"the model is not blessed and was not pushed: {reasons}"
