"""TFX components of our own."""

import importlib
from typing import Any

# The artifact types that a cluster names by package and class, and where they are: TFX allows two
# words.
_ARTIFACT_TYPES = {
    "CorpusFigures": "components.corpus_gate.component",
    "ModelComparison": "components.embedding_comparison.component",
    "WordVectors": "components.embedding_exporter.component",
}


def __getattr__(name: str) -> Any:
    """Finds an artifact type when it is first asked for."""
    if name not in _ARTIFACT_TYPES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ARTIFACT_TYPES[name]), name)
