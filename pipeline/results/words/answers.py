"""Answers to questions about words: as tables, as JSON, or tab-separated. Each when it is known."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args

from rich.table import Column, Table
from rich.text import Text

from pipeline.terminal import console, shown

Form = Literal["table", "json", "tsv"]
FORMS: tuple[Form, ...] = get_args(Form)


class Kind(NamedTuple):
    """What is asked, and what the parts of an answer are called."""

    heading: str  # of a table, with a place for each word of the question
    asked: tuple[str, ...]  # a name for each of those words
    found: str
    figure: str
    decimals: int  # of the figure in a table


NEIGHBORS = Kind("{}", ("word",), "neighbor", "cosine", 3)
ANALOGIES = Kind("{} is to {} as {} is to", ("a", "b", "c"), "answer", "cosine", 3)
CONTEXTS = Kind("contexts of {}", ("word",), "context", "probability", 4)


class Answer(NamedTuple):
    """To one question."""

    words: tuple[str, ...]  # of the question
    found: Sequence[tuple[str, float]]  # tokens with their figures, falling
    unknown: str | None = None  # the first of the words that is no token

    @property
    def error(self) -> str | None:
        """Why nothing was found."""
        return None if self.unknown is None else f"{self.unknown!r} is no token of the vocabulary"


def show(form: Form, kind: Kind, answers: Iterable[Answer]) -> None:
    """Prints answers, each before the next one is asked for.

    Args:
      form: `table`, a table each; `json`, a list with an object a line; or `tsv`, a line with the
        columns' names and one for each token found.
      kind: of the answers.
      answers: to be shown. One without an answer says so, in `tsv` by empty cells.
    """
    if form == "table":
        screen = console()
        for answer in answers:
            screen.print(table(kind, answer))
        return
    for part in (json_parts if form == "json" else tsv_lines)(kind, answers):
        print(part, end="", flush=True)


def table(kind: Kind, answer: Answer) -> Table | Text:
    """For people; cells are text, as rich would take [b] and :heart: in a token for its own."""
    if answer.error:
        return Text(shown(answer.error))
    columns = Table(Column(Text(shown(kind.heading.format(*answer.words)))), kind.figure)
    for token, figure in answer.found:
        columns.add_row(Text(shown(token)), f"{figure:.{kind.decimals}f}")
    return columns


def json_parts(kind: Kind, answers: Iterable[Answer]) -> Iterator[str]:
    r"""The text of a JSON list in parts, one an answer.

    >>> answers = [Answer(("sea",), [("ship", 0.5)]), Answer(("gnu",), [], "gnu")]
    >>> print("".join(json_parts(NEIGHBORS, answers)), end="")
    [
    {"word": "sea", "neighbors": [{"token": "ship", "cosine": 0.5}]},
    {"word": "gnu", "neighbors": [], "error": "'gnu' is no token of the vocabulary"}
    ]
    """
    before = "[\n"
    for answer in answers:
        yield before + json.dumps(_entry(kind, answer))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _entry(kind: Kind, answer: Answer) -> dict[str, Any]:
    found = [{"token": token, kind.figure: _short(figure)} for token, figure in answer.found]
    entry = {**dict(zip(kind.asked, answer.words, strict=True)), f"{kind.found}s": found}
    return entry | ({"error": answer.error} if answer.error else {})


def tsv_lines(kind: Kind, answers: Iterable[Answer]) -> Iterator[str]:
    r"""Lines of cells, the first with their names. Tabs and the like in a word are written out.

    >>> list(tsv_lines(NEIGHBORS, [Answer(("sea",), [("ship", 0.5), ("wave", 0.25)])]))
    ['word\tneighbor\tcosine\n', 'sea\tship\t0.5\n', 'sea\twave\t0.25\n']
    """
    yield _line([*kind.asked, kind.found, kind.figure])
    for answer in answers:
        for token, figure in answer.found:
            yield _line([*answer.words, token, str(_short(figure))])
        if answer.error:
            yield _line([*answer.words, "", ""])


def _line(cells: Iterable[str]) -> str:
    return "\t".join(map(shown, cells)) + "\n"


def _short(figure: float) -> float:
    """As many digits as float32 is sure of."""
    return float(f"{figure:.6g}")
