"""What is searched: for each field the values that it may take, in their order. Light.

They stand around what the user has set, so that a search goes out from there. All are lists, not
ranges: what is found is a number that people can read, and the same one on every machine.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES
from trainer_module.sizes import LARGEST_WINDOW, Window

SAMPLER, SAMPLER_POWER = "trainer.sampler", "trainer.sampler_power"
# The sampler that sampler_power is of.
POWERED = "unigram"

# Times what is set: the learning rate falls to a quarter and rises to four times, by half octaves.
_RATES = tuple(2 ** (n / 2) for n in range(-4, 5))
# A trial costs as much more as it has epochs and wider windows, so these do not go far.
_EPOCHS = (0.5, 1, 1.5, 2, 3)
_WINDOWS = (0.4, 0.6, 1, 1.5, 2)
# Of sessions, and where no number is set to go out from.
_SIZES = (2, 5, 10, 25)
_CANDIDATES = (0.25, 0.5, 1, 2)
_NEGATIVES = (0.4, 1, 2, 3)
# Mikolov et al. advise 1e-5 to 1e-3 for text; 0 keeps all, and so is more than any of them.
_SUBSAMPLES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 0.0)
# Sessions and walks have no words that are a twentieth of all.
_SUBSAMPLES_OF_OTHERS = (1e-4, 1e-3, 1e-2, 0.0)
# Those with other probabilities: uniform is unigram to the power of 0, in_batch to that of 1.
_SAMPLERS = ("log_uniform", POWERED)
_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Below 0 rare items are drawn more often than frequent ones (Caselles-Dupre et al., "Word2vec
# applied to recommendation: hyperparameters matter", 2018, found -0.5 to be best for some data).
_POWERS_OF_OTHERS = (-1.0, -0.5, 0.0, 0.5, 0.75, 1.0)

Value = int | float | str
Space = Mapping[str, Sequence[Value]]


def search_space(
    kind: str, preprocessing: PreprocessingHyperparameters, trainer: TrainerHyperparameters
) -> Space:
    """The values of each field that is searched; what is set is one of them.

    Args:
      kind: of the corpus.
      preprocessing, trainer: what is set.

    Returns:
      By `section.field`. Fields that mean nothing for the objective are left out; of given pairs,
      which no window has drawn, so are those of windows.

    >>> space = search_space("text", PreprocessingHyperparameters(), TrainerHyperparameters())
    >>> space["preprocessing.window"], space["trainer.epochs"], space["trainer.num_sampled"]
    ((2, 3, 5, 8, 10), (1, 2, 3, 4, 6), (64, 128, 256, 512))
    """
    space: dict[str, Sequence[Value]] = {
        "trainer.learning_rate": _around(trainer.learning_rate, _RATES, most=10.0),
        "trainer.epochs": _around(trainer.epochs, _EPOCHS, most=1000),
    }
    if preprocessing.emit == "windows":
        subsamples = _SUBSAMPLES if kind == "text" else _SUBSAMPLES_OF_OTHERS
        space["preprocessing.window"] = _windows(kind, preprocessing.window)
        space["preprocessing.subsample"] = sorted(
            {*subsamples, preprocessing.subsample}, key=lambda share: share or 1.0
        )
    uses = OBJECTIVES[trainer.objective].uses
    if "num_sampled" in uses:
        space["trainer.num_sampled"] = _around(trainer.num_sampled, _CANDIDATES)
    if "num_negatives" in uses:
        space["trainer.num_negatives"] = _around(trainer.num_negatives, _NEGATIVES, most=1000)
    if "sampler" in uses:
        space[SAMPLER] = tuple(dict.fromkeys((*_SAMPLERS, trainer.sampler)))
        powers = _POWERS if kind == "text" else _POWERS_OF_OTHERS
        space[SAMPLER_POWER] = sorted({*powers, trainer.sampler_power})
    return space


def _windows(kind: str, window: Window) -> Sequence[Value]:
    """Of sessions `all` too: where the order means little, all items are each other's context."""
    sizes = _SIZES if window == "all" else _around(window, _WINDOWS, most=LARGEST_WINDOW)
    return (*sizes, "all") if kind == "sessions" or window == "all" else sizes


def _around(
    value: int | float, factors: Sequence[float], most: float = float("inf")
) -> tuple[int | float, ...]:
    """A value and its multiples, by two digits; of a whole one those that are whole, from 1 on."""
    multiples: list[int | float]
    if isinstance(value, int):
        multiples = [max(int(value * factor + 0.5), 1) for factor in factors]
    else:
        multiples = [float(f"{value * factor:.2g}") for factor in factors]
    return tuple(sorted({value, *(multiple for multiple in multiples if multiple <= most)}))


def with_values(configured: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    """A configuration, as a tree, with what a trial has drawn in place of what was set.

    The power of a sampler that has none is left out: the configuration refuses it.

    >>> configured = {"trainer": {"sampler": "unigram", "sampler_power": 0.5, "dim": 8}, "seed": 2}
    >>> with_values(configured, {"trainer.sampler": "log_uniform"})
    {'trainer': {'sampler': 'log_uniform', 'dim': 8}, 'seed': 2}
    """
    changed = copy.deepcopy(dict(configured))
    for name, value in values.items():
        section, _, field = name.partition(".")
        changed.setdefault(section, {})[field] = value
    trainer = changed.get("trainer", {})
    if trainer.get("sampler", POWERED) != POWERED:
        trainer.pop("sampler_power", None)
    return changed
