"""The metrics: their names, formulas, units and directions. Gate, summary and pictures read it.

Light, the standard library alone. What a metric computes stands in metrics.py, in a function of its
name. docs/evaluation.md explains them. Of intrinsic sets the configuration says which there are.
"""

from typing import Literal, NamedTuple

from trainer_module.evaluation.intrinsic.sets import FIGURES

Unit = Literal["nats", "share", "rank", "contexts", "pairs", "1"]
Better = Literal["higher", "lower"]


class Metric(NamedTuple):
    """What is known of a metric without computing it."""

    name: str
    # t is a target, c a context, s their corrected score, Z the sum of exp(s) over all classes.
    formula: str
    unit: Unit
    better: Better | None = None
    shown: bool = True  # to people, by report, comparison and TensorBoard
    on_screen: bool = True  # of these, in the table that a run ends with: it holds few
    written: bool = True  # to summary.json; the others are of the gate alone
    sliced: bool = True  # whether slices have it; the others are of all documents alone
    is_comparison: bool = False  # with the last blessed model; there is none without one
    also_called: str = ""  # by those who recommend and rank
    # A standard error from a sample of targets or pairs. 0 where there was no need of one: such a
    # metric is not written.
    is_error: bool = False


def _error(name: str, unit: Unit) -> Metric:
    return Metric(
        f"{name}_error",
        "its standard error, where targets or pairs were sampled",
        unit,
        is_error=True,
    )


def _comparison(
    name: str,
    formula: str,
    unit: Unit,
    better: Better | None = None,
    *,
    on_screen: bool = False,
    written: bool = True,
) -> Metric:
    return Metric(
        name,
        formula,
        unit,
        better,
        shown=written,
        on_screen=on_screen,
        written=written,
        sliced=False,
        is_comparison=True,
    )


_RANKS = (
    Metric("recall_at_1", "share of pairs with rank(t,c) <= 1", "share", "higher", on_screen=False),
    Metric(
        "recall_at_10",
        "share of pairs with rank(t,c) <= 10",
        "share",
        "higher",
        also_called="HR@10",
    ),
    Metric(
        "recall_at_100", "share of pairs with rank(t,c) <= 100", "share", "higher", on_screen=False
    ),
    # Of pairs, which have one right context each, the best there can be is 1.
    Metric(
        "ndcg_at_10",
        "mean 1 / log2(1 + rank(t,c)) where rank(t,c) <= 10, else 0",
        "1",
        "higher",
        on_screen=False,
    ),
    Metric("mean_reciprocal_rank", "mean 1 / rank(t,c)", "1", "higher", also_called="MRR"),
    Metric("mean_rank", "mean rank(t,c)", "rank", "lower", on_screen=False),
    Metric(
        "auc",
        "mean share of the other classes that score lower than c, half of those that score alike",
        "share",
        "higher",
        on_screen=False,
    ),
)
RANK_METRICS = tuple(metric.name for metric in _RANKS)

METRICS = (
    Metric("full_softmax_cross_entropy", "mean log Z(t) - s(t,c)", "nats", "lower"),
    _error("full_softmax_cross_entropy", "nats"),
    Metric("full_sigmoid_cross_entropy", "mean sum_j softplus(s(t,j)) - s(t,c)", "nats", "lower"),
    _error("full_sigmoid_cross_entropy", "nats"),
    Metric("raw_full_softmax_cross_entropy", "the same of scores as trained", "nats", shown=False),
    Metric("raw_full_sigmoid_cross_entropy", "the same of scores as trained", "nats", shown=False),
    Metric("unigram_cross_entropy", "mean -log share of c", "nats"),
    Metric("perplexity", "exp(full_softmax_cross_entropy)", "contexts", "lower"),
    Metric(
        "gain_over_unigram",
        "unigram_cross_entropy - full_softmax_cross_entropy",
        "nats",
        "higher",
        shown=False,
        written=False,
    ),
    Metric(
        "least_gain_over_unigram",
        "that less two standard errors",
        "nats",
        "higher",
        shown=False,
        written=False,
    ),
    *_RANKS,
    *(_error(metric.name, metric.unit) for metric in _RANKS),
    Metric("mean_log_partition", "mean log Z(t)", "nats", on_screen=False),
    Metric(
        "std_log_partition",
        "standard deviation of log Z(t) over pairs",
        "nats",
        "lower",
        on_screen=False,
    ),
    Metric(
        "expected_calibration_error",
        "sum over bins of |observed - predicted| share of pairs",
        "share",
        "lower",
    ),
    Metric("num_pairs", "held-out pairs", "pairs", shown=False, written=False),
    _comparison(
        "common_cross_entropy", "mean -log p(c|t) on common pairs", "nats", "lower", on_screen=True
    ),
    _comparison(
        "common_cross_entropy_of_last_blessed",
        "the same of the last blessed",
        "nats",
        on_screen=True,
    ),
    _comparison("compared", "evaluator.compared_metric", "nats", "lower", written=False),
    _comparison("compared_of_last_blessed", "the same of the last blessed", "nats", written=False),
    _comparison("increase", "compared - compared_of_last_blessed", "nats", "lower", on_screen=True),
    _comparison("most_increase", "that and two standard errors", "nats", "lower", written=False),
    _comparison(
        "sure_increase",
        "that less two standard errors by documents",
        "nats",
        "lower",
        written=False,
    ),
    _comparison("increase_error", "standard error of increase, by documents", "nats"),
    _comparison("common_coverage", "share of common pairs that it knows", "share", "higher"),
    _comparison("common_coverage_of_last_blessed", "the same of the last blessed", "share"),
    _comparison("num_common_pairs", "pairs on which both are compared", "pairs"),
)
BY_NAME = {metric.name: metric for metric in METRICS}
_ACRONYMS = ("ndcg", "auc")


def increase_metric(*, allow_chance: bool) -> str:
    """Names what the gate holds against `evaluator.max_increase`."""
    return "sure_increase" if allow_chance else "most_increase"


def label(name: str) -> str:
    """A metric's name for people.

    >>> label("common_cross_entropy_of_last_blessed"), label("num_common_pairs")
    ('common cross-entropy of last blessed', 'common pairs')
    >>> label("recall_at_10"), label("ndcg_at_10"), label("auc")
    ('recall at 10 (HR@10)', 'NDCG at 10', 'AUC')
    """
    also = BY_NAME[name].also_called if name in BY_NAME else ""
    name = name.removeprefix("num_").replace("cross_entropy", "cross-entropy")
    words = [word.upper() if word in _ACRONYMS else word for word in name.split("_")]
    return " ".join(words) + (f" ({also})" if also else "")


# Of intrinsic sets, by figure.
_OF_SETS: dict[str, tuple[str, Unit]] = {
    "spearman": ("Spearman's rank correlation of cosines with people's scores", "1"),
    "cos_add": ("share of the known questions that 3CosAdd answers", "share"),
    "cos_mul": ("share of the known questions that 3CosMul answers", "share"),
}


def metric_of_set(name: str) -> Metric | None:
    """What is known of a metric by its sets.metric_name; None of a name that is none.

    >>> metric_of_set("analogies/animals/cos_mul").formula
    'share of the known questions that 3CosMul answers'
    >>> metric_of_set("mean_rank") is None
    True
    """
    kind, _, rest = name.partition("/")
    if kind not in FIGURES or not rest:
        return None
    first, *others = FIGURES[kind]
    figure = next((one for one in others if rest.endswith(f"/{one}")), first)
    formula, unit = _OF_SETS[figure]
    return Metric(name, formula, unit, "higher", sliced=False)


# Bands of frequency: ids of tokens go by falling frequency, so these are ranks of tokens.
BANDS = ("1-100", "101-1000", "1001-10000", "10001-")
BAND_ENDS = (100, 1_000, 10_000)
# What pairs are sliced by.
SLICES = ("target_frequency", "context_frequency")
