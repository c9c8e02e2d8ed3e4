"""What vectors are worth: word similarity and analogies, by gensim's own evaluation."""

from typing import Any

from gensim.models import KeyedVectors

from benchmarks.corpus import SHARED

EVALUATION_SETS = SHARED / "eval"
_SIMILARITY = {
    "WS-353": "EN-WS-353-ALL.txt",
    "SimLex-999": "EN-SIMLEX-999.txt",
    "MEN": "EN-MEN-TR-3k.txt",
}


def evaluate(vectors: KeyedVectors) -> dict[str, float]:
    """Spearman's rho with people's judgements, and the share of analogies solved.

    Args:
      vectors: words by falling frequency.

    Returns:
      By name; empty where the evaluation sets are not there.
    """
    if not EVALUATION_SETS.exists():
        return {}
    found: dict[str, Any] = {
        name: vectors.evaluate_word_pairs(str(EVALUATION_SETS / file), case_insensitive=True)[1][0]
        for name, file in _SIMILARITY.items()
    }
    analogies = str(EVALUATION_SETS / "questions-words.txt")
    found["analogies"] = vectors.evaluate_word_analogies(analogies)[0]
    return {name: round(float(value), 3) for name, value in found.items()}
