"""The configuration written out: as commented YAML, and as docs/configuration.md."""

import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import yaml
from pydantic import BaseModel

from pipeline.atomic import write_aside
from pipeline.config import Config
from pipeline.sections.corpus import Kind
from pipeline.sections.kinds import KINDS
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES

_COLUMNS = 100
_OWN_DEFAULTS = (
    "Some objectives have defaults of their own, which count where the field is not set."
)
_OF_KINDS = (
    "What you set yourself counts. With another `trainer.objective` than the kind's own, none of "
    "its defaults of `trainer` counts. `skipgram config --kind KIND` writes all fields with the "
    "kind's defaults."
)
_ADVICE = "When you change objective, delete the lines of such fields, or set them."
_YAML_HEAD = """\
All fields of the configuration, with their defaults. Every line may be left out.
Use them: skipgram run --config FILE.yaml; --set section.field=value goes above the file.
null means that a field is not set; comments say none.\
"""
_MARKDOWN_HEAD = """\
# The configuration

<!-- `make docs` writes this file from the fields in pipeline/config.py and \
trainer_module/hyperparameters.py: change them instead. -->

`skipgram run --config FILE.yaml` reads fields from a file; `--set section.field=value` goes above \
the file. Every field may be left out. `skipgram config --output FILE.yaml` writes a file with all \
fields, their defaults and these reasons. A wrong name or value ends the command before anything \
is run, and you see all errors at once.

`null` means that a field is not set; the reasons say "none".
"""


def objective_defaults() -> dict[str, dict[str, Any]]:
    """The defaults of each objective that differ from those of the fields of `trainer`."""
    return {name: dict(spec.defaults) for name, spec in OBJECTIVES.items()}


def as_yaml(kind: Kind = "text") -> str:
    """All fields with their defaults, each below a comment that says what it is and why.

    Args:
      kind: of the corpus whose defaults are meant.
    """
    config = Config.model_validate({"corpus": {"kind": kind}})
    lines = [f"# {line}" for line in _YAML_HEAD.splitlines()]
    if reasons := KINDS[kind].reasons * bool(KINDS[kind].defaults):
        lines += commented(
            f"The defaults are those of corpus.kind {kind}; {reasons} has the reasons."
        )
    for name, field in Config.model_fields.items():
        if not _is_section(field.annotation):
            value = yaml_value(getattr(config, name))
            lines += ["", *commented(field.description or ""), f"{name}: {value}"]
    for name, section in _sections():
        lines += ["", *_yaml_of(name, getattr(config, name), _exceptions_of(section))]
    return "\n".join(lines) + "\n"


def _yaml_of(
    name: str,
    section: BaseModel,
    exceptions: Callable[[str], Iterator[str]],
    indent: str = "",
) -> Iterator[str]:
    """A section and those within it."""
    is_trainer = isinstance(section, TrainerHyperparameters)
    yield from commented(_summary(type(section)), indent)
    yield from commented(f"{_OWN_DEFAULTS} {_ADVICE}") if is_trainer else ()
    yield f"{indent}{name}:"
    inner = f"{indent}  "
    for field, info in type(section).model_fields.items():
        value = getattr(section, field)
        if isinstance(value, BaseModel):
            yield from _yaml_of(field, value, exceptions, inner)
            continue
        for text in (info.description or "", *exceptions(field)):
            yield from commented(text, inner)
        yield f"{inner}{field}: {yaml_value(value)}"


def _exceptions_of(section: type[BaseModel]) -> Callable[[str], Iterator[str]]:
    return _exceptions if section is TrainerHyperparameters else lambda field: iter(())


def as_markdown() -> str:
    """The text of docs/configuration.md."""
    lines = [_MARKDOWN_HEAD, *_table(("field", "default", "what and why"), _rows(Config))]
    for name, section in _sections():
        lines += ["", f"## {name}", "", _summary(section), ""]
        lines += _table(("field", "default", "what and why"), _rows(section))
    lines += ["", "## Defaults that a kind of corpus has of its own", "", _OF_KINDS, ""]
    lines += _table(
        ("`corpus.kind`", "its own defaults", "measured in"),
        (
            (
                f"`{kind}`",
                _settings(preset.defaults),
                f"[{preset.reasons}]({preset.reasons.removeprefix('docs/')})",
            )
            for kind, preset in KINDS.items()
        ),
    )
    lines += ["", "## Defaults that an objective has of its own", "", _OWN_DEFAULTS, ""]
    lines += _table(
        ("objective", "its own defaults of `trainer`"),
        (
            (f"`{name}`", ", ".join(f"`{f} = {yaml_value(v)}`" for f, v in own.items()) or "none")
            for name, own in objective_defaults().items()
        ),
    )
    return "\n".join(lines) + "\n"


def _settings(sections: Mapping[str, Mapping[str, Any]]) -> str:
    settings = [
        f"`{name}.{field} = {yaml_value(value)}`"
        for name, defaults in sections.items()
        for field, value in defaults.items()
    ]
    return ", ".join(settings) or "none"


def _is_section(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Config.model_fields.items():
        if _is_section(field.annotation):
            yield name, field.annotation


def _own_fields(model: type[BaseModel]) -> Iterator[tuple[str, Any, str]]:
    """Yields (name, default, description) of the fields, those of sections within it by dots."""
    for name, field in model.model_fields.items():
        if not _is_section(field.annotation):
            yield name, field.default, field.description or ""
        elif model is not Config:
            for inner, default, description in _own_fields(field.annotation):
                yield f"{name}.{inner}", default, description


def _summary(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").partition("\n\n")[0].strip()


def _exceptions(field: str) -> Iterator[str]:
    """Yields, for each value that is a field's default with some objectives, which these are."""
    values = {name: own[field] for name, own in objective_defaults().items() if field in own}
    for value in dict.fromkeys(values.values()):
        names = [name for name in values if values[name] == value]
        yield f"Default with {', '.join(names)}: {yaml_value(value)}"


def yaml_value(value: Any) -> str:
    """As it is written on a line of YAML."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True).removesuffix("...\n").strip()


def commented(text: str, indent: str = "") -> list[str]:
    """Text as lines of comment."""
    # Names with hyphens and URIs stay whole.
    wrapper = textwrap.TextWrapper(
        _COLUMNS, f"{indent}# ", f"{indent}# ", break_on_hyphens=False, break_long_words=False
    )
    return wrapper.wrap(text)


def _rows(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, value, description in _own_fields(model):
        yield f"`{name}`", f"`{yaml_value(value)}`", description.replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    write_aside(Path(sys.argv[1]), as_markdown())
