"""What is known of two nights' models side by side, and the file that holds it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True)
class MovedToken:
    """A token that lies elsewhere now."""

    token: str
    cosine: float | None  # of its vectors then and now; None: they lie in two spaces
    neighbor_overlap: float
    neighbors: tuple[str, ...]  # among all tokens of tonight's model
    last_neighbors: tuple[str, ...]  # among all tokens of the last blessed one


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Tonight's model against the last blessed one. Its fields are those of comparison.json.

    Where there is nothing to compare with, `compared` says so, and all else but `space_id` is
    empty.
    """

    space_id: str  # of tonight's model
    compared: bool = False
    last_space_id: str | None = None
    vocabulary_size: int = 0
    last_vocabulary_size: int = 0
    common_tokens: int = 0
    new_tokens: int = 0
    gone_tokens: int = 0
    most_frequent_new: tuple[str, ...] = ()
    most_frequent_gone: tuple[str, ...] = ()
    # Means over the most frequent common tokens. None: there are too few; or, of the cosine, they
    # lie in two spaces.
    neighbor_overlap: float | None = None
    neighbor_overlap_by_band: Mapping[str, float] | None = None
    mean_cosine: float | None = None
    # Of those that are frequent enough to stay where they are from seed to seed.
    moved_most: tuple[MovedToken, ...] = ()

    @property
    def numbers(self) -> dict[str, Any] | None:
        """What the summary says of it: no tokens; None if nothing was compared."""
        if not self.compared:
            return None
        names = (
            *("common_tokens", "new_tokens", "gone_tokens"),
            *("neighbor_overlap", "neighbor_overlap_by_band", "mean_cosine"),
        )
        return {name: getattr(self, name) for name in names}

    def is_near_enough(self, min_neighbor_overlap: float) -> bool:
        """Whether a gate lets it pass; what cannot be compared passes."""
        return self.neighbor_overlap is None or self.neighbor_overlap >= min_neighbor_overlap

    def to_json(self) -> str:
        """The content of comparison.json."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what to_json wrote."""
        content = json.loads(text)
        for name in ("most_frequent_new", "most_frequent_gone"):
            content[name] = tuple(content[name])
        content["moved_most"] = tuple(map(_moved_token, content["moved_most"]))
        return cls(**content)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads the file in a folder."""
        return cls.from_json((folder / COMPARISON_FILE).read_text(encoding="utf-8"))


def _moved_token(content: Mapping[str, Any]) -> MovedToken:
    lists = {name: tuple(content[name]) for name in ("neighbors", "last_neighbors")}
    return MovedToken(**{**content, **lists})
