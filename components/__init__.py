"""TFX components of our own."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Finds the artifact types that a cluster names by package and class: TFX allows two words."""
    if name == "WordVectors":
        from components.embedding_exporter.component import WordVectors

        return WordVectors
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
