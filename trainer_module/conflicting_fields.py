"""Which fields of the Trainer's hyperparameters do not go together, and what to do about it.

Light on purpose, as the hyperparameters are.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainer_module.objective_table import OBJECTIVES, listed, users
from trainer_module.sizes import FRAME_HEIGHT, STEPS_PER_CHUNK

if TYPE_CHECKING:
    from trainer_module.hyperparameters import TrainerHyperparameters


def problems(given: "TrainerHyperparameters") -> Iterator[str]:
    """A sentence for each conflict, whatever the number of workers."""
    yield from _unused(given)
    if _is_per_pair(given) and given.sampler == "in_batch":
        yield (
            "negatives = per_pair cannot draw in_batch: set sampler to another or negatives to "
            "per_batch"
        )
    if _is_per_pair(given) and not given.replacement:
        yield (
            "negatives = per_pair draws with replacement: set replacement to true or negatives to "
            "per_batch"
        )
    if given.sync_every > 1 and given.sync_every % STEPS_PER_CHUNK:
        yield (
            f"sync_every = {given.sync_every} is neither 1 nor a multiple of {STEPS_PER_CHUNK}, "
            "the steps for which data come in one piece: set it to one of them"
        )
    if not given.evaluations_per_epoch and (given.keep == "best" or given.patience):
        yield "keep = best and patience need evaluations: set evaluations_per_epoch to 1 or more"


def problems_of(given: "TrainerHyperparameters", workers: int) -> Iterator[str]:
    """A sentence for each conflict with a number of workers."""
    if workers == 1:
        return
    # A thread takes the steps of a chunk at least.
    most_threads, least_steps = given.sync_every // STEPS_PER_CHUNK, STEPS_PER_CHUNK * given.threads
    if given.threads > max(most_threads, 1):
        yield (
            f"threads = {given.threads} of each of {workers} workers cannot share the steps of "
            f"sync_every = {given.sync_every}: set sync_every to {least_steps} or more, or threads "
            f"to {max(most_threads, 1)}"
        )
    if given.sync_every > 1:
        return
    least = FRAME_HEIGHT * workers
    if given.batch_size % least:
        yield (
            f"batch_size = {given.batch_size} cannot be divided among {workers} workers that "
            f"synchronise each step: set it to a multiple of {least}"
        )
    if _is_per_pair(given):
        yield (
            "negatives = per_pair gives each worker candidates of its own, of which no step can be "
            f"put together: set sync_every to {STEPS_PER_CHUNK} or more, or negatives to per_batch"
        )


def _is_per_pair(given: "TrainerHyperparameters") -> bool:
    return given.negatives == "per_pair" and _uses(given, "negatives")


def _unused(given: "TrainerHyperparameters") -> Iterator[str]:
    """Fields that were given and mean nothing beside the others.

    A field at its default may have been given too, as by TFX, which passes on whole sections; it
    does no harm.
    """
    spec = OBJECTIVES[given.objective]
    for name, field in type(given).model_fields.items():
        value = getattr(given, name)
        if value == spec.defaults.get(name, field.default):
            continue
        shown = f"{name} = {str(value).lower() if isinstance(value, bool) else value}"
        if name == "logq_correction" and spec.samples and name not in spec.uses:
            yield (
                f"{shown} is not for {given.objective}: with it that is nce; set objective to nce "
                "or logq_correction to false"
            )
        elif not _uses(given, name):
            yield f"{shown} is for {listed(users(name))}, not {given.objective}: leave it out"
        elif name == "sampler_power" and given.sampler != "unigram":
            yield f"{shown} is for the sampler unigram, not {given.sampler}: leave it out"


def _uses(given: "TrainerHyperparameters", name: str) -> bool:
    return name in OBJECTIVES[given.objective].uses or not users(name)
