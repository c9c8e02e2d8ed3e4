"""Defaults that a kind of corpus has of its own: measured for it, see the page that each names."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from pipeline.sections.corpus import Kind


class Preset(NamedTuple):
    """What `corpus.kind` sets where nothing else is said."""

    defaults: Mapping[str, Mapping[str, Any]]  # values by field, by section
    reasons: str  # where they were measured


KINDS: Mapping[Kind, Preset] = {
    "text": Preset({}, "docs/benchmarks.md"),
    "sessions": Preset(
        {"preprocessing": {"tokenizer": "whitespace", "subsample": 0.0}}, "docs/sessions.md"
    ),
    "edges": Preset(
        {"preprocessing": {"tokenizer": "whitespace", "min_count": 1, "subsample": 0.0}},
        "docs/graphs.md",
    ),
    "pairs": Preset(
        {
            "preprocessing": {
                "tokenizer": "whitespace",
                "min_count": 1,
                "subsample": 0.0,
                "emit": "pairs",
            }
        },
        "docs/pairs.md",
    ),
}


def with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """Puts the defaults of the corpus's kind below what was given.

    Those of the section `trainer` were measured for the objective among them. Beside another one
    that was given they are left out: it has defaults of its own.

    Args:
      given: sections of the configuration, as trees or as they are when they are validated.

    Returns:
      The same with the defaults; an unknown kind is left for its own field to refuse.

    >>> given = {"corpus": {"kind": "edges"}, "preprocessing": {"min_count": 3}}
    >>> with_preset(given)["preprocessing"]
    {'tokenizer': 'whitespace', 'min_count': 3, 'subsample': 0.0}
    """
    kind = _tree(given.get("corpus", {})).get("kind", "text")
    preset = next((preset for name, preset in KINDS.items() if name == kind), KINDS["text"])
    sections = {
        name: _below(defaults, _tree(given.get(name, {})))
        for name, defaults in preset.defaults.items()
        if isinstance(given.get(name, {}), Mapping | BaseModel)
    }
    return {**given, **sections}


def _below(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A section with its defaults, unless they are of another objective."""
    objective = defaults.get("objective")
    is_of_another = objective is not None and given.get("objective", objective) != objective
    return dict(given) if is_of_another else {**defaults, **given}


def _tree(section: Any) -> Mapping[str, Any]:
    """The fields of a section that were set."""
    if isinstance(section, BaseModel):
        return section.model_dump(exclude_unset=True)
    return section if isinstance(section, Mapping) else {}
