"""Questions about words: `skipgram neighbors`, `contexts` and `analogy`."""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

# What else a command needs it imports itself, so that none waits for what it does not use.
from pipeline.commands import shared
from pipeline.failures import RUN_FAILED
from pipeline.local.output_folder import OutputFolder
from pipeline.terminal import stderr_to
from trainer_module.errors import InputError
from trainer_module.text.words import BLANKS

if TYPE_CHECKING:
    from pipeline.results.words.answers import Answer, Form, Kind

# In place of words: the lines of standard input.
_STDIN = "-"

_words = click.argument("words", nargs=-1, required=True, metavar="WORD ...")
_how_many = click.option(
    "-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many."
)
_form = shared.form(
    "table",
    "json",
    "tsv",
    help="json: a list with an object a question. tsv: a line a word that was found.",
)


@click.command()
@_words
@_how_many
@_form
@shared.output
def neighbors(words: tuple[str, ...], k: int, form: "Form", output: Path) -> None:
    """The words whose vectors are nearest to WORD's.

    Give - for WORD to read words from standard input, one a line. Of several words the known ones
    are answered, and the exit code is 1 only if none is known.
    """
    from pipeline.results.embeddings import Embeddings
    from pipeline.results.words.answers import NEIGHBORS

    vectors = Embeddings.load(OutputFolder(output).vectors)
    knows = None if _is_one(words) else vectors.knows
    _answer(NEIGHBORS, form, _each(words), knows, lambda word: vectors.neighbors(word, k))


@click.command()
@_words
@_how_many
@_form
@shared.output
def contexts(words: tuple[str, ...], k: int, form: "Form", output: Path) -> None:
    """The words that are most probable beside WORD, by the served model.

    Of sessions they are the items that are seen with it. The probabilities of all words of the
    vocabulary sum to 1.

    Give - for WORD to read words from standard input, one a line. Of several words the known ones
    are answered, and the exit code is 1 only if none is known.
    """
    from pipeline.local import serving_folder

    folder = serving_folder.served_model(OutputFolder(output).serving)
    with stderr_to(Path(os.devnull)):  # TensorFlow's words on this machine's processor
        from pipeline.results.words.answers import CONTEXTS
        from pipeline.results.words.contexts import ContextModel

        model = ContextModel.load(str(folder))
    knows = None if _is_one(words) else model.knows
    _answer(CONTEXTS, form, _each(words), knows, lambda word: model.contexts(word, k))


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="A B C")
@_how_many
@_form
@shared.output
def analogy(words: tuple[str, ...], k: int, form: "Form", output: Path) -> None:
    """A is to B as C is to what?

    Give - for A B C to read standard input, three words a line.
    """
    is_typed = words != (_STDIN,)
    if is_typed and len(words) != 3:
        raise click.UsageError(f"an analogy takes three words, A B C; here are {len(words)}")
    from pipeline.results.embeddings import Embeddings
    from pipeline.results.words.answers import ANALOGIES

    vectors = Embeddings.load(OutputFolder(output).vectors)
    questions = [words] if is_typed else map(_three_words, _lines_of_stdin())
    knows = None if is_typed else vectors.knows
    _answer(ANALOGIES, form, questions, knows, lambda a, b, c: vectors.analogy(a, b, c, k))


def _is_one(words: Sequence[str]) -> bool:
    return len(words) == 1 and words[0] != _STDIN


def _each(words: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """A question a word."""
    for word in words:
        yield from ((line,) for line in (_lines_of_stdin() if word == _STDIN else [word]))


def _lines_of_stdin() -> Iterator[str]:
    """As they come, without blanks around them, and without empty ones."""
    for line in sys.stdin.buffer:
        if text := line.decode(errors="replace").strip(BLANKS):
            yield text


def _three_words(line: str) -> tuple[str, ...]:
    words = re.split(f"[{BLANKS}]+", line)
    if len(words) != 3:
        raise InputError(f"an analogy takes three words a line, A B C; {line!r} has {len(words)}")
    return tuple(words)


def _answer(
    kind: "Kind",
    form: "Form",
    questions: Iterable[tuple[str, ...]],
    knows: Callable[[str], bool] | None,
    ask: Callable[..., Sequence[tuple[str, float]]],
) -> None:
    """Answers questions one by one, and ends with exit code 1 if none could be answered.

    Args:
      kind, form: see answers.show.
      questions: their words.
      knows: whether a word is a token; None for a single question. Then `ask` raises, with the
        nearest token. To find that one takes too long to do it for each of many words.
      ask: gives what is found, by the words of a question.
    """
    from pipeline.results.words import answers

    counted = Counter[bool]()

    def given() -> "Iterator[Answer]":
        for words in questions:
            unknown = next((word for word in words if knows and not knows(word)), None)
            counted[unknown is None] += 1
            yield answers.Answer(words, ask(*words) if unknown is None else [], unknown)

    answers.show(form, kind, given())
    if counted[False]:
        shared.say(f"{counted[False]:,} of {counted.total():,} have no answer: a word is unknown")
    if counted[False] and not counted[True]:
        click.get_current_context().exit(RUN_FAILED)
