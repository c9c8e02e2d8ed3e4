r"""The files of intrinsic sets: which words people find alike, and questions of analogy.

Two formats, which gensim reads too. A line of a similarity set is two words and people's score of
them, between tabs (WS-353, SimLex-999) or blanks (MEN). A set of analogies has sections, each a
line `: name`, and below it questions of four words: a is to b as c is to d. gensim passes over a
line of another form; here it is an error, as half a set would give a figure of something else.

Light, the standard library alone: a wrong file is answered before anything is imported that takes
seconds. TensorFlow reads what is remote.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from trainer_module.errors import InputError

# The two kinds of sets: the fields of the configuration, and of a summary.
SIMILARITY, ANALOGIES = "similarity", "analogies"
# What is measured of a set, by kind.
FIGURES = {SIMILARITY: ("spearman",), ANALOGIES: ("cos_add", "cos_mul")}

# By kind the files, in the order of the configuration.
Named = Mapping[str, Sequence[str]]


class Judgement(NamedTuple):
    """How alike people find two words."""

    one: str
    other: str
    score: float  # on any scale


class Question(NamedTuple):
    """a is to b as c is to d; d is asked for."""

    a: str
    b: str
    c: str
    d: str


def set_name(path: str) -> str:
    """What a set is called: the name of its file without the ending.

    >>> set_name("gs://bucket/sets/questions-words.txt")
    'questions-words'
    """
    return PurePosixPath(path).stem


def metric_name(kind: str, path: str, figure: str) -> str:
    """What a figure of a set is called among the Evaluator's metrics.

    >>> [metric_name("analogies", "sets/animals.txt", figure) for figure in FIGURES["analogies"]]
    ['analogies/animals', 'analogies/animals/cos_mul']
    """
    return figure_name(kind, set_name(path), figure)


def figure_name(kind: str, name: str, figure: str) -> str:
    """The same, by the name of the set."""
    return f"{kind}/{name}" + ("" if figure == FIGURES[kind][0] else f"/{figure}")


def metric_names(named: Named) -> list[str]:
    """The names of all figures of some sets."""
    return [
        metric_name(kind, path, figure)
        for kind, paths in named.items()
        for path in paths
        for figure in FIGURES[kind]
    ]


def parse_similarity(content: bytes, path: str) -> list[Judgement]:
    r"""Reads a similarity set; empty lines, and those that begin with #, say nothing.

    Args:
      content: of the file, UTF-8. Its first line may name the columns.
      path: of the file, for errors.

    Raises:
      InputError: a line is of another form, or there is none.

    >>> parse_similarity(b"# two animals\ntiger\tcat\t7.35\n", "animals.txt")
    [Judgement(one='tiger', other='cat', score=7.35)]
    """
    found = []
    for number, line in _lines(content, path):
        if line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t" if "\t" in line else None)]
        score = _score(fields[-1])
        if len(fields) == 3 and score is None and number == 1:
            continue
        if len(fields) != 3 or score is None:
            raise _wrong_line(path, number, line, "two words and a score, with tabs between them")
        found.append(Judgement(fields[0], fields[1], score))
    if not found:
        raise InputError(f"the similarity set {path!r} holds no pair of words: name another file")
    return found


def parse_analogies(content: bytes, path: str) -> dict[str, list[Question]]:
    r"""Reads a set of analogies: the questions by section.

    Args:
      content: of the file, UTF-8.
      path: of the file, for errors.

    Raises:
      InputError: a line is of another form, or comes before all sections; or there is no question.

    >>> parse_analogies(b": capitals\nRome Italy Oslo Norway\n", "capitals.txt")
    {'capitals': [Question(a='Rome', b='Italy', c='Oslo', d='Norway')]}
    """
    sections: dict[str, list[Question]] = {}
    section = None
    for number, line in _lines(content, path):
        if line.startswith(":"):
            section = sections.setdefault(line.lstrip(":").strip(), [])
            continue
        words = line.split()
        if section is None:
            raise _wrong_line(path, number, line, "the name of a section, such as `: capitals`")
        if len(words) != 4:
            raise _wrong_line(path, number, line, "four words, or `: ` and the name of a section")
        section.append(Question(*words))
    if not any(sections.values()):
        raise InputError(f"the set of analogies {path!r} holds no question: name another file")
    return sections


def read_similarity(path: str) -> list[Judgement]:
    """Reads a similarity set from a file of any file system.

    Raises:
      InputError: there is no such file; or see parse_similarity.
    """
    return parse_similarity(_content(path), path)


def read_analogies(path: str) -> dict[str, list[Question]]:
    """Reads a set of analogies from a file of any file system.

    Raises:
      InputError: there is no such file; or see parse_analogies.
    """
    return parse_analogies(_content(path), path)


def fingerprint(named: Named) -> str | None:
    """What is another one if the content of a set is; None where none is named.

    Raises:
      InputError: a file cannot be read, or is no set: see the parse functions.
    """
    if not any(named.values()):
        return None
    parse = {SIMILARITY: parse_similarity, ANALOGIES: parse_analogies}
    digest = hashlib.sha256()
    for kind, paths in named.items():
        for path in paths:
            content = _content(path)
            parse[kind](content, path)
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _content(path: str) -> bytes:
    try:
        return _content_of_remote(path) if "://" in path else _content_of_local(path)
    except OSError as error:
        raise InputError(f"cannot read the evaluation set {path!r}: {error.strerror}") from error


def _content_of_local(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _content_of_remote(path: str) -> bytes:
    import tensorflow as tf  # it takes seconds

    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            content: bytes = file.read()
    except tf.errors.OpError as error:
        raise InputError(f"cannot read the evaluation set {path!r}: {error.message}") from error
    return content


def _lines(content: bytes, path: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1."""
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            text = line.decode().strip()
        except UnicodeDecodeError as error:
            raise InputError(f"line {number} of {path!r} is not UTF-8: save it as UTF-8") from error
        if text:
            yield number, text


def _score(field: str) -> float | None:
    try:
        score = float(field)
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def _wrong_line(path: str, number: int, line: str, wanted: str) -> InputError:
    shown = line if len(line) <= 80 else f"{line[:80]} ..."
    return InputError(f"line {number} of {path!r} is {shown!r}, and should be {wanted}")
