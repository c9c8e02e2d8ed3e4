"""What vectors are worth: word similarity and analogies, as the Evaluator measures them."""

from collections.abc import Sequence
from typing import Any

from benchmarks.corpus import SHARED
from trainer_module.evaluation.intrinsic import figures, sets

EVALUATION_SETS = SHARED / "eval"
_SIMILARITY = {
    "WS-353": "EN-WS-353-ALL.txt",
    "SimLex-999": "EN-SIMLEX-999.txt",
    "MEN": "EN-MEN-TR-3k.txt",
}


def evaluate(tokens: Sequence[str], vectors: Any) -> dict[str, float]:
    """Spearman's rho with people's judgements, and the share of analogies solved by 3CosAdd.

    Args:
      tokens: `[vocab]`, by falling frequency.
      vectors: `[vocab, dim]`.

    Returns:
      By name; empty where the evaluation sets are not there.
    """
    if not EVALUATION_SETS.exists():
        return {}
    known = figures.KnownWords(tokens, vectors)
    found: dict[str, Any] = {}
    for name, file in _SIMILARITY.items():
        path = str(EVALUATION_SETS / file)
        judged = figures.similarity_figures(sets.read_similarity(path), known, path)
        found[name] = judged.spearman
    path = str(EVALUATION_SETS / "questions-words.txt")
    found["analogies"] = figures.analogies_figures(sets.read_analogies(path), known, path).cos_add
    return {name: round(value, 3) for name, value in found.items()}
