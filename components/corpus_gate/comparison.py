"""What came in tonight against what the last blessed model was trained on. NumPy alone."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer_module.vocabulary import Vocabulary


class CorpusComparison(NamedTuple):
    """Two corpora by their vocabularies."""

    tokens: int  # all occurrences, also of tokens that are too rare for the vocabulary
    last_tokens: int
    vocabulary_kept: int  # tokens in both vocabularies
    vocabulary_new: int  # in tonight's alone
    vocabulary_gone: int  # in the last one alone
    # Of the occurrences of tonight's vocabulary, those of tokens that the last one does not know.
    share_of_new_tokens: float
    # Of the shares of tokens in either vocabulary. Bits: 0 for the same, 1 for nothing in common.
    jensen_shannon_divergence: float

    @property
    def token_loss(self) -> float:
        """Share of the last corpus' tokens that is gone, 0 where there are as many or more.

        All are gone where there are others alone.
        """
        if not self.vocabulary_kept:
            return 1.0
        return max(0.0, 1 - self.tokens / self.last_tokens)


def compare(
    tonight: Vocabulary, last: Vocabulary, *, tokens: int, last_tokens: int
) -> CorpusComparison:
    """Compares two corpora.

    Args:
      tonight, last: their vocabularies, neither of them empty.
      tokens, last_tokens: their occurrences of all tokens.
    """
    counts = dict(zip(tonight.tokens, tonight.counts.tolist(), strict=True))
    last_counts = dict(zip(last.tokens, last.counts.tolist(), strict=True))
    new, gone = counts.keys() - last_counts.keys(), last_counts.keys() - counts.keys()
    union = [*tonight.tokens, *sorted(gone)]
    return CorpusComparison(
        tokens=tokens,
        last_tokens=last_tokens,
        vocabulary_kept=len(counts) - len(new),
        vocabulary_new=len(new),
        vocabulary_gone=len(gone),
        share_of_new_tokens=sum(counts[token] for token in new) / sum(counts.values()),
        jensen_shannon_divergence=jensen_shannon_divergence(
            np.array([counts.get(token, 0) for token in union]),
            np.array([last_counts.get(token, 0) for token in union]),
        ),
    )


def jensen_shannon_divergence(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """How far two distributions are apart: the mean of their divergences from their middle.

    Args:
      one, other: `[vocab]` counts, neither of them zeros alone.

    Returns:
      Bits, from 0 for the same to 1 for nothing in common.

    >>> jensen_shannon_divergence(np.array([2, 2, 0]), np.array([0, 0, 5]))
    1.0
    """
    shares = [counts / counts.sum() for counts in (one, other)]
    middle = (shares[0] + shares[1]) / 2
    # Of a share of 0 the term is 0; its logarithm is not taken.
    terms = (share[share > 0] * np.log2(share[share > 0] / middle[share > 0]) for share in shares)
    # Rounding may leave less than nothing of equal ones.
    return max(0.0, float(sum(term.sum() for term in terms)) / 2)
