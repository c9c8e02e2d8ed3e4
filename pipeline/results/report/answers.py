"""What a reader wants to know first: is it blessed, is it better than last time, where is it weak.

Sentences and figures from the result of a run, by rules that are written here.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.embedding_evaluator.metric_list import label
from pipeline.results.records import Blessing
from pipeline.results.report.contents import Answer, Result, decimal, share, terms_of, whole
from pipeline.results.report.contents import band as band_name

# Standard errors within which two models are alike.
_SURE = 2.0
# Nats that the held-out loss still fell, or rose again, before it is worth a word.
_STILL_FALLING, _ROSE = 0.05, 0.01
# Of a calibration: what a reader of probabilities should know of.
_LEAST_CALIBRATION_ERROR = 0.01
# Of log Z: above it scores are no log-probabilities.
_LEAST_LOG_PARTITION = 0.5
_MOST_WEAKNESSES = 4
_CROSS_ENTROPY, _UNIGRAM = "full_softmax_cross_entropy", "unigram_cross_entropy"
_TARGETS, _CONTEXTS = "target_frequency", "context_frequency"


def answers(result: Result, by_hand: Sequence[Blessing]) -> list[Answer]:
    """The three answers, in the order in which they are asked."""
    return [is_blessed(result, by_hand), is_better(result), is_weak(result)]


def is_blessed(result: Result, by_hand: Sequence[Blessing] = ()) -> Answer:
    """With the sentence of the gate, and of the last person who blessed it since."""
    question = "Is it blessed?"
    said = [f"{_capital(str(result.get('verdict', '')))}."]
    if result.get("blessed"):
        return Answer(question, "Yes", "good", said)
    if by_hand:
        said.insert(0, f"It was blessed {by_hand[-1].sentence}.")
        return Answer(question, "Yes, by hand", "good", said)
    return Answer(question, "No", "bad", said)


def is_better(result: Result) -> Answer:
    """Than the last blessed model, on the same held-out pairs."""
    question = "Is it better than last time?"
    last, increase = result.get("last_blessed"), result.get("increase")
    if last is None:
        return Answer(
            question, "It is the first", "neutral", ["There was no blessed model before it."]
        )
    if increase is None:
        sentence = f"No document is held out by both this model and that of run {last['run']}."
        return Answer(question, "Not known", "neutral", [sentence])
    return _compared(question, result, str(last["run"]), float(increase))


def _compared(question: str, result: Result, last: str, increase: float) -> Answer:
    error = float(result.get("increase_error") or 0.0)
    pairs = result.get("num_common_pairs")
    where = f"On the same {whole(pairs)} held-out pairs" if pairs else "On what both held out"
    gate = result.get("configuration", {}).get("evaluator", {})
    name = label(gate.get("compared_metric", "common_cross_entropy"))
    direction = "above" if increase > 0 else "below"
    sentences = [
        f"{where} its {name} is {decimal(abs(increase))} nats {direction} that of run {last}, "
        f"the last blessed one (standard error {decimal(error)})."
    ]
    moved = (result.get("moved") or {}).get("neighbor_overlap")
    if moved is not None:
        sentences.append(f"{share(moved)} of the nearest neighbours are those of that model.")
    if abs(increase) <= _SURE * error or increase == 0:
        return Answer(question, "About the same", "neutral", sentences)
    better = increase < 0
    return Answer(question, "Yes" if better else "No", "good" if better else "bad", sentences)


def is_weak(result: Result) -> Answer:
    """Where to look before the vectors are used."""
    question = "Where is it weak?"
    found = weaknesses(result)
    if not found:
        return Answer(question, "Nowhere that shows", "neutral", ["No figure here stands out."])
    sentences = [sentence for _, sentence in found[:_MOST_WEAKNESSES]]
    return Answer(question, _capital(found[0][0]), "neutral", sentences)


def weaknesses(result: Result) -> list[tuple[str, str]]:
    """Each in a few words and in a sentence, the most telling one first."""
    return [
        *_no_model(result),
        *_no_gain(result),
        *_hardest(result),
        *_end_of_training(result),
        *_calibration(result),
        *_normalisation(result),
    ]


def _bands(result: Result) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    for name in (_TARGETS, _CONTEXTS):
        bands = [band for band in result.get("slices", {}).get(name, ()) if _CROSS_ENTROPY in band]
        if len(bands) > 1:
            yield name, bands


def _whose(slices: str, result: Result) -> str:
    return terms_of(result).tokens if slices == _TARGETS else "contexts"


def _no_model(result: Result) -> Iterator[tuple[str, str]]:
    loss, unigram = result.get(_CROSS_ENTROPY), result.get(_UNIGRAM)
    if loss is not None and unigram is not None and loss >= unigram:
        yield (
            "everywhere",
            "Over all pairs it says no more of contexts than their frequencies do.",
        )


def _no_gain(result: Result) -> Iterator[tuple[str, str]]:
    """Bands of which the model says no more than the frequencies of the contexts do."""
    for slices, bands in _bands(result):
        whose = _whose(slices, result)
        none = [
            band_name(band["slice"])
            for band in bands
            if band[_CROSS_ENTROPY] >= band.get(_UNIGRAM, float("inf"))
        ]
        if none:
            yield (
                f"{whose} of rank {none[0]}",
                f"Of {whose} of rank {' and '.join(none)} it says no more than frequencies alone.",
            )


def _hardest(result: Result) -> Iterator[tuple[str, str]]:
    """The words of which least is known, and the contexts that are predicted worst.

    Losses of words are held against the unigram model's: its loss is of the same pairs, and how
    surprising the contexts of a band are has nothing to do with what is known of its words.
    """
    for slices, bands in _bands(result):
        whose = _whose(slices, result)
        is_gain = slices == _TARGETS and all(_UNIGRAM in band for band in bands)
        worst = min(bands, key=_gain) if is_gain else max(bands, key=lambda it: it[_CROSS_ENTROPY])
        if is_gain and _gain(worst) <= 0:
            continue  # _no_gain has said so
        ranks, pairs = band_name(worst["slice"]), sum(band["num_pairs"] for band in bands)
        said = (
            f"Least is known of {whose} of rank {ranks}: {_gain(worst):.2f} nats below the "
            "unigram model"
            if is_gain
            else f"Hardest are {whose} of rank {ranks}: {worst[_CROSS_ENTROPY]:.2f} nats where "
            f"{result[_CROSS_ENTROPY]:.2f} is the mean"
        )
        yield (
            f"{whose} of rank {ranks}",
            f"{said}, on {share(worst['num_pairs'] / pairs)} of the held-out pairs.",
        )


def _gain(band: Mapping[str, float]) -> float:
    return band[_UNIGRAM] - band[_CROSS_ENTROPY]


def _end_of_training(result: Result) -> Iterator[tuple[str, str]]:
    """Whether the held-out loss still fell at the end, or rose."""
    losses = [float(one["softmax"]) for one in result.get("evaluations", ())]
    if len(losses) < 2:
        return
    if losses[-1] - min(losses) > _ROSE:
        yield (
            "overfitting",
            f"At the end of training the held-out loss was {losses[-1] - min(losses):.2f} nats "
            "above its lowest: fewer epochs, or trainer.keep=best, would do.",
        )
    elif losses[-2] - losses[-1] > _STILL_FALLING:
        yield (
            "short training",
            "The held-out loss was still falling when training ended, by "
            f"{losses[-2] - losses[-1]:.2f} nats since the evaluation before: more epochs, or a "
            "larger corpus, would make it better.",
        )


def _calibration(result: Result) -> Iterator[tuple[str, str]]:
    error = result.get("expected_calibration_error")
    if error is None or error < _LEAST_CALIBRATION_ERROR:
        return
    sentence = f"By ten bins, what it predicts and what came differ by {share(error)} of the pairs."
    if bins := [one for one in result.get("calibration", ()) if one["observed"] > 0]:
        worst = max(bins, key=_missed)
        how = "high" if worst["predicted"] > worst["observed"] else "low"
        sentence += (
            f" Farthest off are those from {worst['from']:.2g} to {worst['to']:.2g}, which are "
            f"too {how}: {worst['predicted']:.2g} in the mean where {worst['observed']:.2g} came."
        )
    yield "probabilities", sentence


def _missed(one: Mapping[str, float]) -> float:
    """Of a bin of calibration: the share of pairs by which what was given and what came differ."""
    return one["share"] * abs(one["predicted"] / one["observed"] - 1)


def _normalisation(result: Result) -> Iterator[tuple[str, str]]:
    mean = result.get("mean_log_partition")
    if mean is None or abs(mean) < _LEAST_LOG_PARTITION:
        return
    yield (
        "unnormalised scores",
        f"Scores are off by {mean:+.2f} nats from log-probabilities in the mean: divide by the "
        "sum over the vocabulary where you need probabilities.",
    )


def _capital(words: str) -> str:
    """
    >>> _capital("words of rank 1-100")
    'Words of rank 1-100'
    """
    return words[:1].upper() + words[1:]
