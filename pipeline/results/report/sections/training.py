"""How the loss fell during training, and what sampling makes of it."""

from collections.abc import Iterator

from pipeline.results.report import charts
from pipeline.results.report.contents import Chart, Result, Section, Table, decimal, whole

_SOFTMAX, _SIGMOID = "full softmax", "full sigmoid"


def section(result: Result) -> Section:
    """Of one run."""
    made_by = result.get("model_of") or result.get("run")
    where = f" of run {made_by}" if made_by != result.get("run") else ""
    intro = (
        f"The model{where} was trained by {result.get('objective', '?')} on "
        f"{whole(result.get('pairs_train', 0))} pairs, at "
        f"{whole(result.get('pairs_per_second', 0))} pairs a second."
    )
    return Section("training", "Training", intro, [*_held_out(result), *_sampled(result)])


def _held_out(result: Result) -> Iterator[Chart]:
    evaluations = result.get("evaluations", ())
    if not evaluations:
        return
    values = [
        {"step": one["step"], "series": label, "value": one[field]}
        for label, field in ((_SOFTMAX, "softmax"), (_SIGMOID, "sigmoid"))
        for one in evaluations
    ]
    x = charts.quantity("step", "step", "~s", nice=False)
    y = charts.quantity("value", "nats", ".2f", zero=False)
    unigram = result.get("unigram_cross_entropy")
    layers = [] if unigram is None else [charts.rule(y, unigram)]
    colors = {_SOFTMAX: charts.BLUE, _SIGMOID: charts.GREEN}
    kept = result.get("kept_step")
    says = (
        f"From {evaluations[0]['softmax']:.4f} to {evaluations[-1]['softmax']:.4f} nats of softmax "
        f"in {whole(evaluations[-1]['step'])} steps."
        + (f" Step {whole(kept)} is kept." if kept is not None else "")
        + (
            f" The dashed line is the unigram model's softmax, {unigram:.4f}."
            if unigram is not None
            else ""
        )
    )
    rows = [
        (
            whole(one["step"]) + (" (kept)" if one["step"] == kept else ""),
            decimal(one["softmax"]),
            decimal(one["sigmoid"]),
        )
        for one in evaluations
    ]
    table = Table(("step", "full softmax CE", "full sigmoid CE"), rows)
    spec = charts.lines(values, x, y, colors, *layers)
    yield Chart("held-out", "Held-out loss during training", says, spec, table)


def _dashed(unigram: float | None) -> str:
    if unigram is None:
        return ""
    return f" The dashed line is the unigram model's softmax, {unigram:.4f}."


def _sampled(result: Result) -> Iterator[Chart]:
    losses = dict(result.get("sampled_losses") or {})
    if not losses:
        return
    if (full := result.get("full_loss")) is not None:
        classes = result.get("num_contexts") or result.get("vocabulary_size", 0)
        losses[f"all {whole(classes)}"] = full
    values = [{"drawn": f"{number} candidates", "loss": loss} for number, loss in losses.items()]
    says = (
        "What training sees of the loss by its number of candidates, beside what it stands for: "
        f"{', '.join(f'{loss:.2f} nats with {number}' for number, loss in losses.items())}."
    )
    spec = charts.bars(
        values, charts.names("drawn", "candidates"), charts.quantity("loss", "nats", "~s")
    )
    rows = [(str(number), decimal(loss)) for number, loss in losses.items()]
    table = Table(("candidates", "loss, nats"), rows)
    yield Chart("sampled", "What sampling gives", says, spec, table)
