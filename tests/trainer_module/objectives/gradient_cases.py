"""Blocks of targets with a model's tables, and references for gradients of their losses."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from trainer_module.objectives import gradients
from trainer_module.objectives.frames import FramedPairs, Frames, pairs_of_band
from trainer_module.objectives.gradients import Block, Gradients
from trainer_module.objectives.registry import Objective

Array = np.ndarray[Any, Any]


VOCABULARY_SIZE = 12
DIM = 4
NUM_TARGETS = 32

DISTINCT = (7, 0, 3, 11, 5)
REPEATED = (7, 0, 3, 7, 5, 7, 0)

SAMPLED = {
    "nce": False,
    "sampled_softmax": True,
    "negative_sampling": False,
    "sigmoid_cross_entropy": False,
    "softmax_cross_entropy": True,
}
FULL = {"full_softmax": True, "full_sigmoid": False}
CORRECTED = ("nce", "sampled_softmax", "softmax_cross_entropy")


def described(
    name: str,
    num_sampled: int,
    *,
    logq_correction: bool = False,
    remove_accidental_hits: bool = False,
    temperature: float = 1.0,
) -> Objective:
    weight = {"negative_sampling": 5 / num_sampled, "sigmoid_cross_entropy": 1 / num_sampled}
    return Objective(
        name=name,
        softmax={**SAMPLED, **FULL}[name],
        num_sampled=num_sampled,
        candidate_weight=weight.get(name, 1.0),
        temperature=temperature,
        logq_correction=logq_correction,
        remove_accidental_hits=remove_accidental_hits,
    )


def full(name: str) -> Objective:
    return described(name, VOCABULARY_SIZE, remove_accidental_hits=True)


class Case(NamedTuple):
    """A block of targets, and a model's tables."""

    around: Array  # [window + targets + window]
    left: Array
    right: Array
    window: int
    candidates: Array
    target_table: Array
    weights: Array
    biases: Array
    expected: Array  # [vocab], of each class
    distinct: bool = False  # whether a frame has each of its contexts once, as frames of pairs do

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The target's place in the block and the context's id, in the order of the band."""
        return [
            (place, int(self.around[self.window + place + offset]))
            for place, (before, after) in enumerate(zip(self.left, self.right, strict=True))
            for offset in range(-before, after + 1)
            if offset != 0
        ]

    @property
    def targets(self) -> Array:
        """Of the block: their ids."""
        return self.around[self.window : self.window + NUM_TARGETS]

    @property
    def framed(self) -> FramedPairs:
        found = Frames(NUM_TARGETS, self.window).pairs(self.around, self.left, self.right)
        return _with_distinct_contexts(found) if self.distinct else found


def _with_distinct_contexts(pairs: FramedPairs) -> FramedPairs:
    """The same pairs: columns of one context added up, as many columns as there are classes."""
    columns = np.eye(VOCABULARY_SIZE, dtype=np.float32)[pairs.contexts.numpy()]
    every = np.tile(np.arange(VOCABULARY_SIZE, dtype=np.int32), [len(columns), 1])
    return FramedPairs(pairs.targets, tf.constant(every), tf.matmul(pairs.band, columns))


def case_of(seed: int, candidates: tuple[int, ...], *, window: int = 3, scale: float = 1.0) -> Case:
    random = np.random.default_rng(seed)
    left, right = random.integers(0, window + 1, [2, NUM_TARGETS], dtype=np.int32)
    left[-3:] = right[-3:] = 0  # padding

    def table(*shape: int) -> Array:
        return random.normal(scale=scale, size=shape).astype(np.float32)

    return Case(
        around=random.integers(0, VOCABULARY_SIZE, NUM_TARGETS + 2 * window).astype(np.int32),
        left=left,
        right=right,
        window=window,
        candidates=np.array(candidates, np.int64),
        target_table=table(VOCABULARY_SIZE, DIM),
        weights=table(VOCABULARY_SIZE, DIM),
        biases=table(VOCABULARY_SIZE),
        expected=random.uniform(0.05, 3, VOCABULARY_SIZE).astype(np.float32),
    )


def block_of(objective: Objective, case: Case) -> Block:
    pairs = case.framed
    framed = pairs.contexts.numpy()
    corrected, without_hits = objective.logq_correction, objective.remove_accidental_hits
    times = np.bincount(case.candidates, minlength=VOCABULARY_SIZE).astype(np.float32)
    return Block(
        inputs=pairs.rows(tf.gather(case.target_table, pairs.targets)),
        contexts=tf.gather(case.weights, framed),
        context_biases=tf.gather(case.biases, framed),
        context_expected=tf.gather(case.expected, framed) if corrected else None,
        context_hits=tf.gather(times, framed) if without_hits else None,
        band=pairs.band,
        candidates=tf.gather(case.weights, case.candidates),
        candidate_biases=tf.gather(case.biases, case.candidates),
        candidate_expected=tf.gather(case.expected, case.candidates) if corrected else None,
    )


def hits_of(objective: Objective, case: Case) -> Array | None:
    if not objective.remove_accidental_hits:
        return None
    pairs = case.framed
    contexts = tf.gather_nd(pairs.contexts, pairs_of_band(pairs.band)[1]).numpy()
    return contexts[:, np.newaxis] == case.candidates


class OfTables(NamedTuple):
    """Gradients as they reach the model: what belongs to one row added up."""

    loss: Array
    inputs: Array  # [targets, dim]
    weights: Array  # [vocab, dim]
    biases: Array  # [vocab]


def of_tables(case: Case, found: Gradients) -> OfTables:
    framed = case.framed.contexts.numpy()
    weights, biases = np.zeros([VOCABULARY_SIZE, DIM]), np.zeros(VOCABULARY_SIZE)
    candidates = np.broadcast_to(case.candidates, found.candidate_biases.shape)
    np.add.at(weights, framed, found.contexts.numpy())
    np.add.at(weights, candidates, found.candidates.numpy())
    np.add.at(biases, framed, found.context_biases.numpy())
    np.add.at(biases, candidates, found.candidate_biases.numpy())
    inputs = found.inputs.numpy().reshape(NUM_TARGETS, DIM)
    return OfTables(found.loss.numpy(), inputs, weights, biases)


def assert_close(one: Any, other: Any) -> None:
    for a, b in zip(one, other, strict=True):
        largest = np.max(np.abs(b), initial=1.0)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * largest)


def assert_equals_each(objective: Objective, case: Case, found: Gradients) -> None:
    reference = gradients.per_pair_candidates(
        objective, block_of(objective, case), hits_of(objective, case)
    )
    assert [a.shape for a in found] == [b.shape for b in reference]
    if not objective.remove_accidental_hits:
        assert_close(found, reference)
    # A hit's share stands with the context in one, with the candidate in the other.
    assert_close(of_tables(case, found), of_tables(case, reference))


def pair_losses_written_out(objective: Objective, case: Case) -> list[float]:
    """docs/losses.md's table, pair by pair, in float64."""
    table, weights, biases, expected = (
        x.astype(np.float64) for x in (case.target_table, case.weights, case.biases, case.expected)
    )
    found = []
    for place, context in case.pairs:
        inputs = table[case.targets[place]] / objective.temperature
        scores = weights @ inputs + biases
        if objective.logq_correction:
            scores = scores - np.log(expected)
        kept = [
            scores[candidate]
            for candidate in case.candidates
            if not (objective.remove_accidental_hits and candidate == context)
        ]
        if objective.softmax:
            found.append(np.logaddexp.reduce([scores[context], *kept]) - scores[context])
        else:
            of_candidates = sum(np.logaddexp(0, score) for score in kept)
            found.append(
                np.logaddexp(0, -scores[context]) + objective.candidate_weight * of_candidates
            )
    return found


def variants() -> list[Any]:
    """Every sampled objective, with and without what exists for it."""
    return [
        pytest.param(name, logq, hits, id=f"{name}{'-logq' * logq}{'-without_hits' * hits}")
        for name in SAMPLED
        for logq in ((False, True) if name in CORRECTED else (False,))
        for hits in (False, True)
    ]
