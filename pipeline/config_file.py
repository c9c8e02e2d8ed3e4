"""Reads a configuration from YAML and the command line, and says all that is wrong with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.config import PASSWORD_VARIABLE, Config, fields
from pipeline.failures import unknown_name
from trainer_module.errors import InputError


class _Loader(yaml.SafeLoader):
    """YAML in which 1e-4 is a number, as in YAML 1.2; PyYAML wants 1.0e-4."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def load(
    path: Path | None = None, settings: Sequence[str] = (), corpus: Sequence[str] = ()
) -> Config:
    """Reads a configuration; what the command line says goes above what the file says.

    Args:
      path: a YAML file with some of the fields, or none.
      settings: `section.field=value`, the value in YAML.
      corpus: files, folders and globs; if any, in place of corpus.files.

    Raises:
      InputError: the file cannot be read; or a field is unknown, a value not allowed, a setting no
        setting: then the message has them all, a line each if there are several.
    """
    tree = _read(path) if path else {}
    problems = [*_put_all(tree, settings, corpus)]
    return validated(tree, problems)


def validated(tree: Mapping[str, Any], problems: Sequence[str] = ()) -> Config:
    """The configuration of a tree of sections and fields.

    Args:
      tree: values by field, by section.
      problems: what is known to be wrong already, a sentence each.

    Raises:
      InputError: see load; or there were problems.
    """
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        # What a wrong setting would have set is missing: whether fields fit together is not known.
        found = (e for e in error.errors() if not (problems and e["type"] == "value_error"))
        raise _input_error([*problems, *map(_sentence, found)]) from error
    if problems:
        raise _input_error(problems)
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InputError(f"cannot read the configuration {path}: {reason}") from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise InputError(f"the configuration {path} is not YAML: {problem}") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise InputError(f"the configuration {path} must hold `section: ...` lines, not {tree!r}")
    # A section of which no line is left, or all are commented out, is an empty one.
    return {name: {} if value is None else value for name, value in tree.items()}


def _put_all(tree: dict[str, Any], settings: Sequence[str], corpus: Sequence[str]) -> Iterator[str]:
    """Puts into the tree what can be put there; yields what is wrong with the rest."""
    for setting in settings:
        try:
            _put(tree, setting)
        except InputError as error:
            yield str(error)
    if corpus:
        try:
            _section(tree, "corpus")["files"] = list(corpus)
        except InputError as error:
            yield str(error)


def _put(tree: dict[str, Any], setting: str) -> None:
    name, equals, text = setting.partition("=")
    *sections, field = name.strip().split(".")
    if not equals or not all((*sections, field)):
        raise InputError(f"--set takes section.field=value, not {setting!r}")
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise InputError(f"the value of --set {setting} is not YAML") from error
    for section in sections:
        tree = _section(tree, section)
    tree[field] = value


def _section(tree: dict[str, Any], name: str) -> dict[str, Any]:
    section = tree.setdefault(name, {})
    if not isinstance(section, dict):
        raise InputError(_no_value(name, section))
    return section


def _input_error(sentences: Sequence[str]) -> InputError:
    different = list(dict.fromkeys(sentences))
    if len(different) == 1:
        return InputError(different[0])
    return InputError("\n  ".join([f"the configuration has {len(different)} errors:", *different]))


def _no_value(name: str, value: object) -> str:
    return f"{name} is a section of the configuration, it has no value {value!r}"


def _sentence(error: ErrorDetails) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "model_type":
        return _no_value(name, error["input"])
    if error["type"] == "value_error":  # of fields that do not fit together
        return f"in {name}, {error['ctx']['error']}"
    if error["type"] == "extra_forbidden":
        return _unknown_field(name)
    description = {field: text for field, _, text in fields()}.get(name, "")
    return f"{name} = {error['input']!r} is not allowed: {error['msg']}" + (
        f" ({description})" if description else ""
    )


def _unknown_field(name: str) -> str:
    if name == "metadata.password":
        return (
            "in metadata, a password has no place: take it out and set the environment variable "
            f"{PASSWORD_VARIABLE}"
        )
    known = [field for field, *_ in fields()]
    # The right field in the wrong section is nearer than any other field of that section.
    same = [field for field in known if field.rpartition(".")[2] == name.rpartition(".")[2]]
    return unknown_name("field of the configuration", name, same or known)
