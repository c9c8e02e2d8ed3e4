"""What a run's vectors come to on intrinsic sets, a line each, for the table of its summary."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.results.records import Summary


def intrinsic_rows(summary: Summary) -> Iterator[tuple[str, str]]:
    """The kind and the name of each set, and its figures with what of it was not known."""
    for name, found in (summary.similarity or {}).items():
        figures = f"{found['spearman']:.4f}"
        yield f"similarity {name}", figures + _outside(found, "pairs")
    for name, found in (summary.analogies or {}).items():
        figures = f"3CosAdd {found['cos_add']:.4f}, 3CosMul {found['cos_mul']:.4f}"
        yield f"analogies {name}", figures + _outside(found, "questions")


def _outside(found: Mapping[str, Any], what: str) -> str:
    number = found[what]
    share = 1 - found[f"known_{what}"] / number
    return f" ({share:.1%} of {number:,} {what} outside the vocabulary)"
