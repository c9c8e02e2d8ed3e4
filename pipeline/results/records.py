"""What is known of runs, of their components, and of what those wrote."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from components.rising_pusher.versions import number_of_run
from pipeline.sections.corpus import Kind
from trainer_module.evaluation.intrinsic import sets
from trainer_module.training.record import Evaluation, WarmStart

# In the folder of vectors: the run that made them, and the version of their model in `serving/`.
RUN_FILE = "run.json"


@dataclass(frozen=True)
class ComponentRun:
    """How a component ended."""

    component: str
    cached: bool
    seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class ComponentProgress:
    """How a component that is running stands."""

    component: str
    seconds: float
    line: str  # what it printed last


@dataclass(frozen=True)
class ComponentWarning:
    """What a component says that people must see, also when other lines follow."""

    component: str
    sentence: str


# The figures by which two runs are shown side by side: fields of a summary.
COMPARED = ("documents", "tokens", "vocabulary_size")

# Of reading.json, what is counted of one kind of corpus alone, and how people read it.
READ_OF_KIND = {
    "sessions": "sessions",
    "pairs": "given pairs",
    "edges": "edges",
    "edges_held_out": "edges held out",
    "nodes": "nodes",
    "isolated_nodes": "nodes without an edge to train on",
    "walks": "walks",
    "files_like_text": "files that look like text",
    "files_like_sessions": "files that look like sessions",
    "files_like_edges": "files that look like edges",
}

# What `copies_eval` counts, by what only one kind of corpus has: READ_OF_KIND.
_COPIES_OF_KIND = {
    "sessions": "held-out pairs that have copies",
    "pairs": "held-out pairs that have copies",
    "edges": "held-out edges that have copies",
}


def copies_label(read: Mapping[str, Any]) -> str:
    """How people read `copies_eval`, by what was counted of the kind of the corpus.

    >>> copies_label({"edges": 12, "nodes": 5}), copies_label({})
    ('held-out edges that have copies', 'near-copies held out')
    """
    found = (label for name, label in _COPIES_OF_KIND.items() if name in read)
    return next(found, "near-copies held out")


def said_kind(result: Mapping[str, Any]) -> Kind | None:
    """`corpus.kind` of a run, if it came to a summary that says so."""
    kind: Kind | None = (result.get("configuration") or {}).get("corpus", {}).get("kind")
    return kind


# Is told how the components of a run get on.
ShowProgress = Callable[[ComponentProgress | ComponentWarning | ComponentRun], None]


@dataclass(frozen=True)
class Blessing:
    """A model that a person blessed; or that the gate did, by an older verdict."""

    run: str  # its name
    by: str
    reason: str
    at: str  # ISO 8601, to the second, in the local time

    @property
    def sentence(self) -> str:
        """Who, when and why."""
        return f"by {self.by} on {self.at.replace('T', ' ')}: {self.reason}"


@dataclass(frozen=True)
class RunRecord:
    """One run of the pipeline, as the metadata store has it."""

    run_id: str
    started: datetime
    corpus: str
    status: str
    result: Mapping[str, Any]  # Summary.as_json, maybe of an older version, or its error

    @property
    def name(self) -> str:
        """What it is called by people, and by its folders: a number."""
        number = number_of_run(self.run_id)
        return self.run_id if number is None else str(number)

    @property
    def error(self) -> str | None:
        """The sentence that says why it failed."""
        return self.result.get("error")

    @property
    def objective(self) -> str | None:
        """What it trained by, if it came so far."""
        return self.result.get("objective")

    @property
    def full_softmax_cross_entropy(self) -> float | None:
        """Of the held-out pairs, in nats, if it came so far."""
        return self.result.get("full_softmax_cross_entropy")

    @property
    def unigram_cross_entropy(self) -> float | None:
        """The same of the unigram model."""
        return self.result.get("unigram_cross_entropy")


@dataclass(frozen=True)
class Reading:
    """What TextExampleGen read: of its `reading.json`, what a summary says."""

    documents: int
    documents_eval: int  # held out
    copies_eval: int  # of those, what has a copy, see copies_label
    replaced_characters: int  # U+FFFD put in the place of what is not UTF-8
    empty_lines: int
    of_kind: Mapping[str, int]  # by the names of READ_OF_KIND, what is not 0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads `reading.json`."""
        content = json.loads(path.read_text(encoding="utf-8"))
        content["of_kind"] = {name: content[name] for name in READ_OF_KIND if content.get(name)}
        return cls(**{field.name: content[field.name] for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run gave. Its fields are those of summary.json, in their order."""

    run: str  # its name
    documents: int
    documents_eval: int  # held out
    copies_eval: int  # of those, what has a copy, see copies_label; train has none of them
    read: Mapping[str, int] | None = None  # what TextExampleGen counted, Reading.of_kind
    # date, days and missing_days, where names of the corpus hold dates; tokens, which are all that
    # occur; and, where a run on another corpus was blessed before, what CorpusComparison has.
    corpus: Mapping[str, Any]
    tokens: int
    vocabulary_size: int
    distinct_tokens_left_out: int  # which have no vector
    num_contexts: int | None = None  # where they are not as many as the targets
    pairs_train: int
    pairs_eval: int
    objective: str
    seed: int
    train_loss: float
    sampled_losses: Mapping[str, float]  # by the number of candidates
    full_loss: float  # of the same pairs over the whole vocabulary
    warm_start: WarmStart | None  # what was taken over, unless nothing was
    evaluations: tuple[Evaluation, ...]
    kept_step: int
    # The Evaluator's, of the whole eval split: by name, in summary.json beside the other fields.
    metrics: Mapping[str, float]
    # The metrics by slice: by `target_frequency` and `context_frequency` the bands, the most
    # frequent first. And by bin of probabilities, figures.Figures.calibration.
    slices: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
    calibration: Sequence[Mapping[str, float]] | None = None
    # Of the intrinsic sets, by their names; None: none is named.
    similarity: Mapping[str, Any] | None = None  # SimilarityFigures
    analogies: Mapping[str, Any] | None = None  # AnalogiesFigures
    blessed: bool
    replaced_characters: int
    empty_lines: int
    workers: int
    threads: int  # of each
    pairs_per_second: int  # of all workers
    pairs_per_second_of_workers: tuple[int, ...]
    resumed_at_step: int  # 0: it began anew
    space_id: str  # models of one space have vectors that can be used together
    # What has moved since the last blessed model, Comparison.numbers; None: there is none.
    moved: Mapping[str, Any] | None
    seconds: Mapping[str, float]  # by component
    cached: tuple[str, ...]  # components
    all_cached: bool
    peak_memory_megabytes: Mapping[str, int]  # by component
    model_of: str = ""  # the run that trained the model, if it came from the cache
    version: str | None = None  # in serving/, of the last blessed model
    is_new_version: bool = False  # whether this run put it there
    # By format of vectors/, its files and figures; None: vectors/ holds another run's model.
    exports: Mapping[str, Any] | None = None
    configuration: Mapping[str, Any] | None = None  # all of it, as YAML has it
    versions: Mapping[str, str] | None = None  # of what ran
    last_blessed: Mapping[str, Any] | None = None  # the run it was compared with: name and figures
    verdict: str = ""  # a sentence: how the gate has decided, and by which figures
    why_not_blessed: str | None = None  # the verdict, unless it is blessed

    @property
    def is_unchanged(self) -> bool:
        """Whether it gave nothing that was not there before."""
        return self.all_cached and self.blessed and not self.is_new_version

    def as_json(self) -> dict[str, Any]:
        """What is written to summary.json and to the metadata store."""
        content: dict[str, Any] = {}
        for name, value in asdict(self).items():
            content.update(value if name == "metrics" else {name: value})
        return {name: value for name, value in content.items() if value is not None}


def set_figures(result: Mapping[str, Any]) -> dict[str, float]:
    """What a run's vectors came to on intrinsic sets, by the names of the metrics.

    Args:
      result: Summary.as_json, maybe of an older version.

    >>> set_figures({"analogies": {"animals": {"cos_add": 0.25, "cos_mul": None}}})
    {'analogies/animals': 0.25}
    """
    found = {
        sets.figure_name(kind, name, figure): of_set.get(figure)
        for kind, figures in sets.FIGURES.items()
        for name, of_set in (result.get(kind) or {}).items()
        for figure in figures
    }
    return {name: value for name, value in found.items() if value is not None}
