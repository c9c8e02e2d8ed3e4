"""The configuration written out: as commented YAML, and as docs/configuration.md."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from pipeline.atomic import write_aside
from pipeline.config import Config
from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES

_COLUMNS = 100
_OWN_DEFAULTS = (
    "Some objectives have defaults of their own, which count where the field is not set."
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


def as_yaml() -> str:
    """All fields with their defaults, each below a comment that says what it is and why."""
    lines = [f"# {line}" for line in _YAML_HEAD.splitlines()]
    for name, value, description in _own_fields(Config):
        lines += ["", *_commented(description), f"{name}: {yaml_value(value)}"]
    for name, section in _sections():
        is_trainer = section is TrainerHyperparameters
        lines += ["", *_commented(_summary(section))]
        lines += [*(_commented(f"{_OWN_DEFAULTS} {_ADVICE}") if is_trainer else ()), f"{name}:"]
        for field, value, description in _own_fields(section):
            lines += _commented(description, "  ")
            for exception in _exceptions(field) if is_trainer else ():
                lines += _commented(exception, "  ")
            lines.append(f"  {field}: {yaml_value(value)}")
    return "\n".join(lines) + "\n"


def as_markdown() -> str:
    """The text of docs/configuration.md."""
    lines = [_MARKDOWN_HEAD, *_table(("field", "default", "what and why"), _rows(Config))]
    for name, section in _sections():
        lines += ["", f"## {name}", "", _summary(section), ""]
        lines += _table(("field", "default", "what and why"), _rows(section))
    lines += ["", "## Defaults that an objective has of its own", "", _OWN_DEFAULTS, ""]
    lines += _table(
        ("objective", "its own defaults of `trainer`"),
        (
            (f"`{name}`", ", ".join(f"`{f} = {yaml_value(v)}`" for f, v in own.items()) or "none")
            for name, own in objective_defaults().items()
        ),
    )
    return "\n".join(lines) + "\n"


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def _own_fields(model: type[BaseModel]) -> Iterator[tuple[str, Any, str]]:
    """Yields (name, default, description) of the fields that are no sections."""
    sections = {name for name, _ in _sections()} if model is Config else set()
    for name, field in model.model_fields.items():
        if name not in sections:
            yield name, field.default, field.description or ""


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


def _commented(text: str, indent: str = "") -> list[str]:
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
