"""What is known of trials, and the files that hold it. Light, for those who only look."""

import dataclasses
import hashlib
import json
import math
import os
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from components.hyperparameter_tuner.search_space import Value

# In the artifact tuner_results: a Search, as JSON.
SEARCH_FILE = "search.json"


@dataclasses.dataclass(frozen=True)
class Measured:
    """A trial that has ended."""

    values: Mapping[str, Value]  # by section.field
    measure: float  # in 0..1, more is better; 0 of a failed one
    # Means of the measure over blocks of the held-out pairs, the same blocks for all trials.
    blocks: tuple[float, ...]
    cpu_seconds: float
    failure: str | None = None  # why there is no model, such as a loss that is not finite

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` gave, by way of JSON."""
        return cls(**{**fields, "blocks": tuple(fields["blocks"])})

    def gain_over(self, other: Self) -> tuple[float, float]:
        """By how much it is better than another trial, and the standard error of that.

        Both are measured on the same pairs, so what makes these easy or hard cancels. Blocks are of
        different documents, so their differences are independent.

        >>> one, other = (Measured({}, m, (m - 0.1, m + 0.1), 1.0) for m in (0.5, 0.2))
        >>> [round(number, 3) for number in one.gain_over(other)]
        [0.3, 0.0]
        """
        if self.failure or other.failure:
            return self.measure - other.measure, 0.0
        differences = [a - b for a, b in zip(self.blocks, other.blocks, strict=True)]
        error = 0.0
        if len(differences) > 1:
            error = statistics.stdev(differences) / math.sqrt(len(differences))
        return self.measure - other.measure, error


@dataclasses.dataclass(frozen=True)
class Search:
    """All trials, the first one of what was set."""

    measure: str  # its name
    documents: int  # of the sample that was trained on
    share: float  # of the corpus that those are, in (0, 1]
    pairs: int  # held out, on which all were measured
    trials: tuple[Measured, ...]

    @property
    def best(self) -> Measured:
        """Of equal ones the first."""
        return max(self.trials, key=lambda trial: trial.measure)

    def to_json(self) -> str:
        """All of it."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def of_json(cls, text: str) -> Self:
        """The other way round."""
        fields = json.loads(text)
        return cls(**{**fields, "trials": tuple(map(Measured.of_json, fields["trials"]))})


class Records:
    """A folder with a file for each trial that has ended: none is run twice, whatever was killed.

    KerasTuner keeps files too, but writes over them in place, and forgets the random state of its
    Gaussian process. So a search that goes on is made again from its beginning, and asks here
    before it trains.
    """

    def __init__(self, folder: Path):
        """Takes the folder; it is for one search space, one sample and one code alone."""
        self._folder = folder

    def find(self, values: Mapping[str, Value]) -> Measured | None:
        """The trial of these values, if it has ended."""
        path = self._path(values)
        return Measured.of_json(json.loads(path.read_text())) if path.exists() else None

    def add(self, trial: Measured) -> None:
        """Notes a trial, in one step."""
        path = self._path(trial.values)
        unfinished = path.with_suffix(".unfinished")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(dataclasses.asdict(trial)))
        os.replace(unfinished, path)

    def checkpoints(self, values: Mapping[str, Value]) -> Path:
        """Where the training of a trial may leave what it goes on with after a kill."""
        return self._path(values).with_suffix(".checkpoints")

    def _path(self, values: Mapping[str, Value]) -> Path:
        named = json.dumps(dict(sorted(values.items())))
        return self._folder / f"trial-{digest_of([named.encode()])}.json"


def digest_of(parts: Iterable[bytes]) -> str:
    """12 hexadecimal digits that tell these parts from others."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:12]
