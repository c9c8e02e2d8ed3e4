"""Pairs of a target and a context: what is held out, and at which rank a method puts it.

A hash of the pair holds it out, as `corpus.kind=pairs` does, so copies of a pair stand on one side.
A method scores all contexts that training has, for the target of a held-out pair; ranks are exact,
and equal scores share the mean of their ranks. Two ways of counting:

- new: without the contexts that the target has in training already. Who recommends leaves them out.
- all: among all contexts, as the product's own figures are. It does not know what a target has.

Held-out pairs whose target or context training does not have are not asked, as in the product.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.sessions.next_item import SESSIONS, Figures, Ids, Scores, ranks_among, without
from trainer_module.text.split import is_held_out

Pair = tuple[str, str]
# Of some targets, `[targets]`, the scores of all contexts, `[targets, contexts]`.
Scorer = Callable[[Ids], Scores]
_AT_ONCE = 512


def user_items(user: int, items: Sequence[str]) -> Iterator[Pair]:
    """Who bought what: the number of a history, and each of its items."""
    return ((f"u{user}", item) for item in items)


def next_items(user: int, items: Sequence[str]) -> Iterator[Pair]:
    """What came next: each item of a history but the last, and the item after it."""
    del user
    return itertools.pairwise(items)


CORPORA: Mapping[str, Callable[[int, Sequence[str]], Iterable[Pair]]] = {
    "user, item": user_items,
    "item, next item": next_items,
}


class Side(NamedTuple):
    """The targets of training, or its contexts, by falling frequency."""

    names: list[str]
    counts: Ids  # [names], pairs of the train split

    @classmethod
    def of(cls, occurrences: Iterable[str]) -> "Side":
        """Counts; equally frequent ones stand in the order of their names."""
        counted = sorted(Counter(occurrences).items(), key=lambda one: (-one[1], one[0]))
        return cls([name for name, _ in counted], np.array([n for _, n in counted], np.int64))


class HeldOut(NamedTuple):
    """Pairs as places in their sides."""

    targets: Side
    contexts: Side
    train: Ids  # [pairs, 2], in an order that is mixed
    asked: Ids  # [held-out pairs, 2]
    unknown: int  # held-out pairs that are not asked

    @classmethod
    def read(
        cls,
        corpus: str,
        path: Path = SESSIONS,
        *,
        share: float = 0.05,
        for_search: bool = False,
        every: int = 1,
    ) -> "HeldOut":
        """Holds out a share of the pairs.

        Args:
          corpus: a name of CORPORA.
          path: of a file of histories, one a line, items between blanks.
          share: of the pairs.
          for_search: whether another share is held out instead. What is held out without it is not
            seen at all.
          every: so many histories, one is taken.
        """
        histories = path.read_text(encoding="utf-8").splitlines()[::every]
        pairs = (CORPORA[corpus](user, line.split()) for user, line in enumerate(histories))
        train, held_out = [], []
        for pair in itertools.chain.from_iterable(pairs):
            document = "\t".join(pair).encode()
            # The split of a smaller share is a part of that of a larger one.
            if not is_held_out(document, (1 + for_search) * share, "pairs"):
                train.append(pair)
            elif not (for_search and is_held_out(document, share, "pairs")):
                held_out.append(pair)
        return cls.of(train, held_out)

    @classmethod
    def of(cls, train: Sequence[Pair], held_out: Sequence[Pair], seed: int = 1) -> "HeldOut":
        """Numbers the sides, and mixes the pairs to train on by the seed."""
        targets, contexts = (Side.of(names) for names in zip(*train, strict=True))
        places = [
            {name: nth for nth, name in enumerate(side.names)} for side in (targets, contexts)
        ]

        def ids(pairs: Iterable[Pair]) -> Ids:
            found = [(places[0].get(t, -1), places[1].get(c, -1)) for t, c in pairs]
            return np.array(found, np.int64).reshape(-1, 2)

        asked = ids(held_out)
        known = (asked >= 0).all(1)
        mixed = np.random.default_rng(seed).permutation(ids(train))
        return cls(targets, contexts, mixed, asked[known], int((~known).sum()))

    def sample(self, size: int, seed: int = 1) -> "HeldOut":
        """The same, asked of so many pairs at most."""
        return self._replace(asked=np.random.default_rng(seed).permutation(self.asked)[:size])

    def had(self) -> dict[int, list[int]]:
        """The contexts that each target has in training."""
        found = defaultdict(set)
        for target, context in self.train.tolist():
            found[target].add(context)
        return {target: sorted(contexts) for target, contexts in found.items()}


def figures(scorer: Scorer, held: HeldOut) -> dict[str, dict[str, float]]:
    """The figures of a method, by the way of counting."""
    had, ranks = held.had(), defaultdict(list)
    for begin in range(0, len(held.asked), _AT_ONCE):
        targets, answers = held.asked[begin : begin + _AT_ONCE].T
        scores = scorer(targets)
        new = without(scores, [had[target] for target in targets.tolist()])
        ranks["new"].append(ranks_among(new, answers))
        ranks["all"].append(ranks_among(scores, answers))
    return {
        name: Figures.of_ranks(np.concatenate(parts))._asdict() for name, parts in ranks.items()
    }
