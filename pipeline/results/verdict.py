"""One sentence: whether a model is blessed, and by which figures."""

from collections.abc import Mapping

from components.embedding_comparison.comparison import Comparison
from components.embedding_evaluator.metric_list import increase_metric, metric_of_set
from components.embedding_evaluator.thresholds import Threshold
from pipeline.results.figures import Figures
from pipeline.sections.evaluation import EvaluatorConfig


def verdict(
    gate: EvaluatorConfig,
    epochs: int,
    figures: Figures,
    moved: Comparison,
    *,
    blessed: bool,
) -> str:
    """Says how the gate has decided, and why.

    Args:
      gate: of the run's configuration.
      epochs: of the Trainer.
      figures: of the new model.
      moved: what has moved since the last blessed model.
      blessed: by the Evaluator and the EmbeddingComparison.
    """
    metrics = figures.metrics
    gain, comparison = _gain(metrics), _comparison(gate, metrics, compared=figures.compared)
    if blessed:
        return f"the model is blessed: {comparison}; {gain}{_reached(gate)}"
    missed = []
    if not metrics["least_gain_over_unigram"] >= gate.min_gain_over_unigram:
        missed.append(
            f"{gain}, and evaluator.min_gain_over_unigram asks for {gate.min_gain_over_unigram}"
            f"{_margin(metrics['full_softmax_cross_entropy_error'])}: raise trainer.epochs (it is "
            f"{epochs}) with trainer.keep=best, add to the corpus, or ask for less"
        )
    if not metrics[increase_metric(allow_chance=gate.allow_chance)] <= gate.max_increase:
        chance = " and two standard errors" if gate.allow_chance else ""
        missed.append(
            f"{comparison}, and evaluator.max_increase allows {gate.max_increase}{chance}"
            f"{_margin(metrics['most_increase'] - metrics['increase'])}: see what came in, raise "
            "it, or give what is of another kind an --output of its own"
        )
    missed += _missed(gate, figures)
    missed += _moved_too_far(gate, moved)
    reasons = "; and ".join(missed) or "the evaluation says so (artifacts/Evaluator/evaluation)"
    return f"the model is not blessed and was not pushed: {reasons}"


def _reached(gate: EvaluatorConfig) -> str:
    """What a blessed model has reached besides."""
    names = [Threshold.parse(one).name for one in gate.thresholds]
    return f"; its {', '.join(names)} reach evaluator.thresholds" if names else ""


def _missed(gate: EvaluatorConfig, figures: Figures) -> list[str]:
    """The reasons that evaluator.thresholds give."""
    reasons = []
    for threshold in map(Threshold.parse, gate.thresholds):
        value = figures.value_of(threshold)
        if value is None:
            reasons.append(
                f"no held-out pair is in the slice that evaluator.thresholds names by "
                f"{str(threshold)!r}: take that one away, or add to the corpus"
            )
        elif not threshold.is_met(value):
            where = "set" if metric_of_set(threshold.metric) else "slices"
            reasons.append(
                f"its {threshold.name} is {value:.4g}, and evaluator.thresholds asks for "
                f"{'>=' if threshold.is_least else '<='} {threshold.bound:g}: look at the {where} "
                "in summary.json, train on more text of that kind, or ask for less"
            )
    return reasons


def _moved_too_far(gate: EvaluatorConfig, moved: Comparison) -> list[str]:
    """The reason that the comparison with the last blessed model gives, if it gives one."""
    least = gate.min_neighbor_overlap or 0.0
    if moved.is_near_enough(least):
        return []
    return [
        f"{moved.neighbor_overlap:.1%} of the 10 nearest neighbours of its most frequent tokens "
        f"are those of the last blessed model, which has {moved.last_vocabulary_size:,} tokens "
        f"(this one has {moved.vocabulary_size:,}), and evaluator.min_neighbor_overlap asks for "
        f"{least:.1%}: look at comparison.json in artifacts/EmbeddingComparison, or ask for less"
    ]


def _margin(error: float) -> str:
    """What the gate asks for besides, where targets were sampled."""
    return " with two standard errors of the sampled targets to spare" if error > 0 else ""


def _gain(metrics: Mapping[str, float]) -> str:
    gain, error = metrics["gain_over_unigram"], metrics["full_softmax_cross_entropy_error"]
    sampled = f" (standard error {error:.4f}, by sampled targets)" if error else ""
    return (
        f"its full softmax cross-entropy {metrics['full_softmax_cross_entropy']:.4f}{sampled} on "
        f"{metrics['num_pairs']:,.0f} held-out pairs is {abs(gain):.4f} "
        f"{'above' if gain < 0 else 'below'} the unigram model's "
        f"{metrics['unigram_cross_entropy']:.4f}"
    )


def _comparison(gate: EvaluatorConfig, metrics: Mapping[str, float], *, compared: bool) -> str:
    if not compared:
        return "it is the first one"
    name, increase = gate.compared_metric, metrics["increase"]
    if not metrics["num_common_pairs"]:
        return (
            "it was not compared with the last blessed model, as there is no pair in the documents "
            "that both have held out"
        )
    sentence = (
        f"its {name} {metrics['compared']:.4f} is {abs(increase):.4f} (standard error "
        f"{metrics['increase_error']:.4f}) {'above' if increase > 0 else 'below'} the last blessed "
        f"model's {metrics['compared_of_last_blessed']:.4f}"
    )
    if name != "common_cross_entropy":
        return sentence
    return (
        f"{sentence} on the same {metrics['num_common_pairs']:,.0f} pairs, of which it knows "
        f"{metrics['common_coverage']:.1%} and that one "
        f"{metrics['common_coverage_of_last_blessed']:.1%}"
    )
