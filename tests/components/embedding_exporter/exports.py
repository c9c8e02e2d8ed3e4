"""What writers are given, made by hand or drawn, and tokens as odd as corpora hold them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import strategies

from components.embedding_exporter.formats import Export
from tests.saved_models import SETTINGS
from trainer_module.evaluation.saved_model import SavedModel
from trainer_module.text.words import BLANKS
from trainer_module.vocabulary import Vocabulary

ODD_TOKENS = [
    *("the", '"quoted', "it's", "a,b", "\\n", "nan", "null", "12", "größe", "日本", "{}"),
    *("a\u2028b", "a\u0085b", "a\u00a0b", "a\x1cb", "a\x00b", "\ufeffa", "\ufffd", "e\u0301"),
    *("👩‍🚀", "\U0010ffff", "long" * 4096),
]
# All that a tokenizer lets through.
tokens = strategies.lists(
    strategies.text(
        strategies.characters(exclude_categories=["Cs"], exclude_characters=BLANKS), min_size=1
    ),
    min_size=1,
    max_size=20,
    unique=True,
)


def export_of(
    tokens: Sequence[str],
    vectors: npt.ArrayLike,
    *,
    contexts: npt.ArrayLike | None = None,
    last_tokens: Sequence[str] = (),
    min_recall: float = 0.0,
) -> Export:
    """An Export; counts fall from 3 a token."""
    table = np.asarray(vectors, np.float32)
    counts = 3 * np.arange(len(tokens), 0, -1)
    model = SavedModel(
        SETTINGS._replace(temperature=0.5),
        Vocabulary([token.encode() for token in tokens], counts),
        table,
        -table if contexts is None else np.asarray(contexts, np.float32),
        np.arange(len(tokens), dtype=np.float32),
        np.ones(len(tokens), np.float32),
        np.zeros(len(tokens), np.float32),
    )
    return Export(model, tokens, last_tokens, min_recall)


def vectors_of(number: int, dim: int = 2) -> npt.NDArray[np.float32]:
    """Any vectors, all different."""
    return np.random.default_rng(number).normal(size=(number, dim)).astype(np.float32)
