"""Corpora of any size, as text files: the books again and again, in new orders and new words."""

import gzip
import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from benchmarks import corpus

# In English text as in the books: what a number of gigabytes is in words.
BYTES_OF_WORD = 5.65
_WORDS_OF_FILE = 4_000_000
# Of so many words one gives way to another of the corpus: rounds have no copies of each other's
# paragraphs, and the words stay as frequent as they are.
_CHANGED = 16

# Without the books: as many paragraphs as they have, of words by Zipf's law.
_PARAGRAPHS = 280_000
_WORDS_OF_PARAGRAPH = 60
_VOCABULARY = 50_000


def write(folder: Path, words: int, *, seed: int = 1) -> str:
    """Writes a corpus of so many words, and some more to the end of a paragraph.

    Its first round is the books, paragraph by paragraph in another order. In later rounds each
    paragraph has other words as well. Where the books are not there, the text is generated.

    Args:
      folder: is made; gets files of four million words, a paragraph a line.
      words: between blanks, as `wc -w` counts them.
      seed: the same one gives the same files.

    Returns:
      The glob of the files, for `skipgram run --corpus`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paragraphs = _rounds(random.Random(seed))
    for number, begin in enumerate(range(0, words, _WORDS_OF_FILE)):
        left = min(words - begin, _WORDS_OF_FILE)
        with (folder / f"{number:05d}.txt").open("w", encoding="utf-8") as file:
            while left > 0:
                paragraph = next(paragraphs)
                file.write(" ".join(paragraph) + "\n")
                left -= len(paragraph)
    return f"{folder}/*.txt"


def _rounds(chance: random.Random) -> Iterator[list[str]]:
    """Yields paragraphs, without end."""
    paragraphs = list(_of_the_books() if corpus.BOOKS.exists() else _generated(chance))
    chance.shuffle(paragraphs)
    yield from map(str.split, paragraphs)
    while True:
        chance.shuffle(paragraphs)
        for paragraph in paragraphs:
            yield _changed(paragraph.split(), paragraphs, chance)


def _changed(words: list[str], paragraphs: list[str], chance: random.Random) -> list[str]:
    """Puts words of another paragraph in the place of some: as many, or one at least."""
    others = paragraphs[int(chance.random() * len(paragraphs))].split()
    for place in range(int(chance.random() * min(_CHANGED, len(words))), len(words), _CHANGED):
        words[place] = others[int(chance.random() * len(others))]
    return words


def _of_the_books() -> Iterator[str]:
    for path in sorted(corpus.BOOKS.glob("*.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (line for line in lines if not line.isspace())


def _generated(chance: random.Random) -> Iterator[str]:
    vocabulary = [_letters(rank) for rank in range(_VOCABULARY)]
    weights = list(accumulate(1 / rank for rank in range(1, _VOCABULARY + 1)))
    for _ in range(_PARAGRAPHS):
        yield " ".join(chance.choices(vocabulary, cum_weights=weights, k=_WORDS_OF_PARAGRAPH))


def _letters(number: int) -> str:
    """The number in letters, as words are: tokenizers may drop digits."""
    return f"{number:05d}".translate({ord("0") + digit: "aeioulnrst"[digit] for digit in range(10)})
