"""Corpora of kinds other than text, of which the answer is known, and runs of them."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.end_to_end.commands import Run, Skipgram

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


class Corpus(NamedTuple):
    """A small corpus, and by what it is trained on."""

    name: str  # of its file
    lines: Callable[[], Iterable[str]]
    settings: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Writes it into a folder."""
        path = folder / self.name
        path.write_text("".join(f"{line}\n" for line in self.lines()))
        return path


CORPORA: Mapping[str, Corpus] = {
    "sessions": Corpus("shop.txt", sessions),
    "edges": Corpus("graph.txt", edges, ("corpus.eval_fraction=0.1", "corpus.walks.q=0.5")),
    "pairs": Corpus("plays.tsv", pairs, ("trainer.epochs=60",)),
}


def settings_of(kind: str) -> tuple[str, ...]:
    """Which of that small corpus make a blessed model."""
    settings = ("trainer.dim=16", "trainer.checkpoint_seconds=1000")
    return (f"corpus.kind={kind}", *settings, *CORPORA[kind].settings)


def run(skipgram: Skipgram, kind: str, folder: Path, *settings: str) -> Run:
    """One whole run of a kind's corpus, which is written into a folder beside its output."""
    output = folder / "output"
    words = [word for setting in (*settings_of(kind), *settings) for word in ("--set", setting)]
    corpus = str(CORPORA[kind].write(folder))
    ended = skipgram("run", "--corpus", corpus, "--output", str(output), *words)
    assert ended.code == 0, ended.stdout + ended.stderr
    return Run.read(output, ended.stdout)
