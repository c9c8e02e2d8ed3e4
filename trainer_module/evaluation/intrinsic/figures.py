"""What vectors come to on intrinsic sets; the same figures as gensim's on the same vectors.

Only the most frequent tokens are known, as in gensim's `evaluate_word_pairs` and
`evaluate_word_analogies`; what holds a word that is not known is left out, and counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer_module.errors import InputError
from trainer_module.evaluation.intrinsic.sets import Judgement, Question
from trainer_module.text import words
from trainer_module.text.words import Tokenization

# gensim's default of restrict_vocab.
MOST_KNOWN = 300_000
# Keeps the quotient of 3CosMul finite; gensim's, on cosines that are shifted to 0 ... 1.
_EPSILON = 1e-6
# Cosines that are held at a time, 64 MB; and those that one step works on, which stay in a core's
# cache.
_COSINES_AT_ONCE, _COSINES_IN_CACHE = 1 << 23, 1 << 16
_MOST_COLUMNS = 4096

Ids = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
_UNKNOWN = -1


@dataclass(frozen=True)
class SimilarityFigures:
    """What vectors come to on a similarity set."""

    spearman: float  # rank correlation of cosines with people's scores
    pairs: int
    known_pairs: int  # of which the vocabulary holds both words


@dataclass(frozen=True)
class AnalogyFigures:
    """What vectors come to on questions of analogy."""

    cos_add: float | None  # share of the known questions answered by 3CosAdd; None: none is known
    cos_mul: float | None  # by 3CosMul
    questions: int
    known_questions: int  # of which the vocabulary holds all four words


@dataclass(frozen=True)
class AnalogiesFigures(AnalogyFigures):
    """The same of all sections together, and of each."""

    sections: Mapping[str, AnalogyFigures]


class KnownWords:
    """Vectors, and how words are looked up in them: as the model makes tokens of text.

    >>> known = KnownWords(["paris", "don't"], [[1, 0], [0, 1]])
    >>> known.rows([["Paris", "Don\u2019t", "New York"]]).tolist()
    [[0, 1, -1]]
    """

    def __init__(
        self,
        tokens: Sequence[str],
        vectors: npt.ArrayLike,
        tokenization: Tokenization = Tokenization(),  # noqa: B008, immutable
    ) -> None:
        """Takes the most frequent tokens.

        Args:
          tokens: `[vocab]`, distinct, by falling frequency.
          vectors: `[vocab, dim]`.
          tokenization: the model's.
        """
        self.vectors: Vectors = np.asarray(vectors, np.float32)[:MOST_KNOWN]
        self._rows = {token: row for row, token in enumerate(tokens[:MOST_KNOWN])}
        self._tokenization = tokenization

    def rows(self, asked: Sequence[Sequence[str]]) -> Ids:
        """The rows of words, as `asked` has them, `[number, words]`; -1 of what is not known."""
        distinct = {word for several in asked for word in several}
        row_of = {word: self._row(word) for word in distinct}
        return np.array([[row_of[word] for word in several] for several in asked], np.int64)

    def _row(self, word: str) -> int:
        """A word that is several tokens, or none, has no vector."""
        found = words.tokens(word, self._tokenization)
        return self._rows.get(found[0], _UNKNOWN) if len(found) == 1 else _UNKNOWN


def similarity_figures(
    judgements: Sequence[Judgement], known: KnownWords, path: str
) -> SimilarityFigures:
    """Spearman's correlation of cosines with people's scores.

    Args:
      judgements: of the set.
      known: the vectors.
      path: of the set, for the error.

    Raises:
      InputError: fewer than two pairs are known, or all have one score or one cosine: nothing can
        be said.
    """
    # It takes a second to import, and a light command may import this module.
    from scipy import stats

    rows = known.rows([(it.one, it.other) for it in judgements])
    is_known = (rows != _UNKNOWN).all(1)
    one, other = (units(known.vectors[ids]) for ids in rows[is_known].T)
    cosines = np.einsum("pd,pd->p", one, other)
    scores = np.array([it.score for it in judgements])[is_known]
    if not (len(set(scores)) > 1 and len(set(cosines)) > 1):
        raise _nothing_known(path, "pairs", len(rows), int(is_known.sum()))
    found = float(stats.spearmanr(scores, cosines).statistic)
    return SimilarityFigures(found, len(rows), int(is_known.sum()))


def analogies_figures(
    sections: Mapping[str, Sequence[Question]], known: KnownWords, path: str
) -> AnalogiesFigures:
    """The share of questions that are answered, by 3CosAdd and by 3CosMul.

    Args:
      sections: the questions of the set.
      known: the vectors.
      path: of the set, for the error.

    Raises:
      InputError: no question is known.
    """
    rows = known.rows([question for section in sections.values() for question in section])
    is_known = (rows != _UNKNOWN).all(1)
    if not is_known.any():
        raise _nothing_known(path, "questions", len(rows), 0)
    right = np.zeros([len(rows), 2], bool)  # by 3CosAdd, by 3CosMul
    right[is_known] = answers(known.vectors, rows[is_known]) == rows[is_known, 3:]
    ends = np.cumsum([len(section) for section in sections.values()])
    spans = [
        slice(end - len(section), end) for end, section in zip(ends, sections.values(), strict=True)
    ]
    return AnalogiesFigures(
        *_shares(right, is_known),
        {
            name: AnalogyFigures(*_shares(right[span], is_known[span]))
            for name, span in zip(sections, spans, strict=True)
        },
    )


def _shares(
    right: npt.NDArray[np.bool_], is_known: npt.NDArray[np.bool_]
) -> tuple[float | None, float | None, int, int]:
    """The fields of AnalogyFigures."""
    number = int(is_known.sum())
    if not number:
        return None, None, len(is_known), 0
    cos_add, cos_mul = (right.sum(0) / number).tolist()
    return cos_add, cos_mul, len(is_known), number


def answers(vectors: Vectors, questions: Ids) -> Ids:
    """Which tokens answer best, among all but the three of the question.

    3CosAdd (Mikolov et al. 2013) takes the largest cos(b) + cos(c) - cos(a), 3CosMul (Levy and
    Goldberg 2014) the largest cos(b) cos(c) / (cos(a) + epsilon) of cosines shifted to 0 ... 1. So
    both need cosines with the questions' words alone: a thousand, where there may be twenty
    thousand questions. Those are multiplied by some columns of the vocabulary at a time, and the
    best answer so far is kept.

    Args:
      vectors: `[vocab, dim]`.
      questions: `[questions, 3 or 4]` rows: a, b, c, and maybe d, which is not looked at.

    Returns:
      `[questions, 2]`: by 3CosAdd and by 3CosMul the row; of equals the first one, -1 where there
      is no other token.
    """
    asked = questions[:, :3]
    distinct = np.unique(asked)
    places = np.searchsorted(distinct, asked)
    of_words = units(vectors[distinct])
    best = _Best(len(asked))
    columns = min(_MOST_COLUMNS, max(1, _COSINES_AT_ONCE // len(distinct)))
    for start in range(0, len(vectors), columns):
        cosines = of_words @ units(vectors[start : start + columns]).T
        for some in _blocks(len(asked), _COSINES_IN_CACHE // columns):
            a, b, c = (cosines[place] for place in places[some].T)
            hidden = _hidden(asked[some] - start, cosines.shape[1])
            best.offer(some, 0, start, b + c - a, hidden)
            best.offer(some, 1, start, (1 + b) * (1 + c) / (1 + a + 2 * _EPSILON), hidden)
    return best.rows


class _Best:
    """The best answers so far."""

    def __init__(self, questions: int) -> None:
        self.rows: Ids = np.full([questions, 2], -1)
        self._scores = np.full([questions, 2], -np.inf)

    def offer(
        self, some: slice, method: int, start: int, scores: Numbers, hidden: tuple[Ids, Ids]
    ) -> None:
        """Takes over what is better.

        Args:
          some: the questions.
          method: column of `rows`.
          start: the row of the first score.
          scores: `[some, columns]`; is changed.
          hidden: the places in it that may not answer.
        """
        scores[hidden] = -np.inf
        found = scores.argmax(1)
        their = scores[np.arange(len(scores)), found]
        better = their > self._scores[some, method]
        self.rows[some, method][better] = start + found[better]
        self._scores[some, method][better] = their[better]


def _hidden(columns: Ids, number: int) -> tuple[Ids, Ids]:
    """Row and column of the questions' own words, `[some, 3]`, of those columns that there are."""
    row, word = np.nonzero((columns >= 0) & (columns < number))
    return row, columns[row, word]


def _blocks(number: int, size: int) -> Iterable[slice]:
    size = max(1, size)
    return (slice(start, start + size) for start in range(0, number, size))


def units(vectors: Vectors) -> Numbers:
    """Vectors of length 1, `[number, dim]`; one of length 0 stays as it is.

    In double precision: of vectors that all lie near one another, many answers differ by less than
    single precision holds, and the figures would be the machine's.
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    found: Numbers = vectors / np.where(norms > 0, norms, 1)
    return found


def _nothing_known(path: str, what: str, number: int, known: int) -> InputError:
    return InputError(
        f"of the {number:,} {what} of the evaluation set {path!r} the vocabulary holds {known:,} "
        "with all their words, which tells nothing: name a set of the corpus's language, lower "
        "preprocessing.min_count, or leave the set out"
    )
