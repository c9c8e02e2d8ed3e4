"""Defaults that a kind of corpus has of its own: measured for it, see the page that each names."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from pipeline.sections.corpus import Kind
from trainer_module.hyperparameters import PreprocessingHyperparameters


class Preset(NamedTuple):
    """What `corpus.kind` sets where nothing else is said."""

    defaults: Mapping[str, Mapping[str, Any]]  # values by field, by section
    reasons: str  # where they were measured


# Of other kinds than text pairs are held out, not documents, and those are few: two fine nights of
# 120 edges differ by a tenth of a nat, of 1,548 sessions' last items by some .01.
_FEW_HELD_OUT = {"allow_chance": True}

KINDS: Mapping[Kind, Preset] = {
    "text": Preset({}, "docs/benchmarks.md"),
    "sessions": Preset(
        {
            "preprocessing": {"tokenizer": "whitespace", "min_count": 1, "subsample": 0.0},
            "trainer": {"objective": "nce", "epochs": 10},
            "evaluator": _FEW_HELD_OUT,
        },
        "docs/sessions.md",
    ),
    "edges": Preset(
        {
            # No walk sees a held-out edge: 5 % of them cost .01 of F1 and more.
            "corpus": {"eval_fraction": 0.02},
            "preprocessing": {
                "tokenizer": "whitespace",
                "min_count": 1,
                "subsample": 0.0,
                "window": 10,
            },
            "trainer": {
                "objective": "sigmoid_cross_entropy",
                "dim": 200,
                "bias_initializer": "zeros",
                "batch_size": 192,
                # Twenty walks at this rate are better than ten at 0.025.
                "learning_rate": 0.015,
                "epochs": 1,  # twenty walks from each node are many passes over the graph already
            },
            "evaluator": _FEW_HELD_OUT,
        },
        "docs/graphs.md",
    ),
    "pairs": Preset(
        {
            "preprocessing": {
                "tokenizer": "whitespace",
                "min_count": 1,
                "subsample": 0.0,
                "emit": "pairs",
            },
            # Most targets have few pairs: text's 2 epochs at .05 leave their vectors near zero,
            # and the model is the unigram one. Many overfit by this, so the best model is kept.
            "trainer": {"objective": "nce", "learning_rate": 0.1, "epochs": 10, "keep": "best"},
            "evaluator": _FEW_HELD_OUT,
        },
        "docs/pairs.md",
    ),
}


def problems(kind: Kind, preprocessing: PreprocessingHyperparameters) -> Iterator[str]:
    """A sentence for each field of preprocessing that does not go with a kind, and what to do."""
    if kind == "text":
        return
    if preprocessing.tokenizer != "whitespace":
        yield (
            f"preprocessing.tokenizer = {preprocessing.tokenizer} is for words, and the ids of "
            f"corpus.kind = {kind} are taken as they are: begin from `skipgram config --kind "
            f"{kind}`, or leave it out"
        )
    if kind != "pairs":
        return
    if preprocessing.emit != "pairs":
        yield (
            f"preprocessing.emit = {preprocessing.emit} is of one vocabulary, and corpus.kind = "
            "pairs has two: set it to pairs, or leave it out"
        )
    if preprocessing.subsample:
        yield (
            f"preprocessing.subsample = {preprocessing.subsample} is for texts, and pairs that are "
            "given are all kept: set it to 0, or leave it out"
        )


def with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """Puts the defaults of the corpus's kind below what was given.

    Args:
      given: sections of the configuration, as trees or as they are when they are validated.

    Returns:
      The same with the defaults. Those of `trainer` were measured for the kind's own objective:
      with another one they do not count. An unknown kind is left for its own field to refuse.

    >>> given = {"corpus": {"kind": "edges"}, "preprocessing": {"min_count": 3}}
    >>> with_preset(given)["preprocessing"]
    {'tokenizer': 'whitespace', 'min_count': 3, 'subsample': 0.0, 'window': 10}
    """
    kind = _tree(given.get("corpus", {})).get("kind", "text")
    preset = next((preset for name, preset in KINDS.items() if name == kind), KINDS["text"])
    sections = {
        name: {**_measured_for(_tree(given.get(name, {})), defaults), **_tree(given.get(name, {}))}
        for name, defaults in preset.defaults.items()
        if isinstance(given.get(name, {}), Mapping | BaseModel)
    }
    return {**given, **sections}


def _measured_for(section: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """The defaults, if they are for the objective that is set."""
    own = defaults.get("objective")
    return defaults if section.get("objective", own) == own else {}


def _tree(section: Any) -> Mapping[str, Any]:
    """The fields of a section that were set."""
    if isinstance(section, BaseModel):
        return section.model_dump(exclude_unset=True)
    return section if isinstance(section, Mapping) else {}
