"""Corpora of kinds other than text, of which the answer is known."""

import random
from collections.abc import Iterator

GROUPS, MEMBERS = 3, 10


def sessions() -> Iterator[str]:
    """Sessions that go round and round in a group: the item that comes next is certain."""
    generator = random.Random(1)
    for _ in range(1500):
        group, start = generator.randrange(GROUPS), generator.randrange(MEMBERS)
        places = range(start, start + generator.randint(4, 8))
        yield " ".join(f"g{group}-{place % MEMBERS}" for place in places)


def edges() -> Iterator[str]:
    """A graph of groups, and leaves of one edge: a leaf whose edge is held out is left alone."""
    for group in range(GROUPS):
        for place in range(2 * MEMBERS):
            for other in range(1 - place % 2, place, 2):
                yield f"g{group}-{place} g{group}-{other}"
    for leaf in range(60):
        yield f"leaf{leaf} g0-{leaf % MEMBERS}"


def pairs() -> Iterator[str]:
    """Users and the items of their group, with how often."""
    generator = random.Random(1)
    for user in range(60):
        for item in range(MEMBERS):
            yield f"user{user}\titem{user % GROUPS}-{item}\t{generator.choice([1, 2, 2.5])}"
