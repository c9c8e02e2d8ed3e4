"""Reads a configuration from YAML and the command line, and says all that is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline import yaml_tree
from pipeline.config import PASSWORD_VARIABLE, Config, fields
from pipeline.failures import unknown_name
from pipeline.terminal import shown
from trainer_module.errors import InputError

# Bytes; all fields with their reasons are some 12,000.
_LARGEST_FILE = 1 << 20
# Characters shown of a value.
_LONGEST_VALUE = 200
# What to write where a value is of another kind, by pydantic's names of errors.
_ADVICE = {
    "int_type": "write digits alone, such as 1000",
    "float_type": "write it as 0.001 or 1e-3",
    "bool_type": "write true or false",
    "string_type": "put it in quotes",
    "tuple_type": "write a list, such as [first, second]",
}
# What people may look for, and is no field.
_NO_FIELDS = {
    "metadata.password": (
        "in metadata, a password has no place: take it out and set the environment variable "
        f"{PASSWORD_VARIABLE}"
    ),
    "corpus.json_field": (
        "corpus.json_field is now corpus.columns, a list that holds for other formats too: write "
        "columns: [NAME]"
    ),
}


class _Origin(NamedTuple):
    """Where values come from."""

    path: Path
    lines: dict[str, int]  # of the fields and sections of which the file alone decides

    def place(self, name: str) -> str:
        """In brackets, the line of a field or, where it has none, of the section around it."""
        while name and name not in self.lines:
            name = name.rpartition(".")[0]
        return f" ({self.path}, line {self.lines[name]})" if name else ""

    def overruled(self, name: str) -> None:
        """Forgets the lines of a field that is set elsewhere, and of the sections around it."""
        for known in list(self.lines):
            if f"{known}.".startswith(f"{name}.") or f"{name}.".startswith(f"{known}."):
                del self.lines[known]


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
    tree, problems, origin = _read(path) if path else ({}, [], None)
    problems += _put_all(tree, settings, corpus, origin)
    return validated(tree, problems, origin)


def validated(
    tree: Mapping[str, Any], problems: Sequence[str] = (), origin: _Origin | None = None
) -> Config:
    """The configuration of a tree of sections and fields.

    Args:
      tree: values by field, by section.
      problems: what is known to be wrong already, a sentence each.
      origin: the file that values come from, if one.

    Raises:
      InputError: see load; or there were problems.
    """
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        # What a wrong setting would have set is missing: whether fields fit together is not known.
        found = (e for e in error.errors() if not (problems and e["type"] == "value_error"))
        raise _input_error([*problems, *(_sentence(e, origin) for e in found)]) from error
    if problems:
        raise _input_error(problems)
    return config


def _read(path: Path) -> tuple[dict[str, Any], list[str], _Origin]:
    """Sections by name, what is wrong with how they are written, and where they are."""
    try:
        tree, lines, found = yaml_tree.read(_text(path))
    except yaml_tree.NotYamlError as error:
        raise InputError(
            f"the configuration {path}, line {error.line}, is not YAML: {error}"
        ) from error
    problems = [f"{problem} ({path}, line {line})" for line, problem in found]
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise InputError(
            f"the configuration {path} must hold `section: ...` lines, not {_value(tree)}"
        )
    # A section of which no line is left, or all are commented out, is an empty one.
    sections = {name: {} if value is None else value for name, value in tree.items()}
    return sections, problems, _Origin(path, lines)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"cannot read the configuration {path}: {error.strerror}") from error
    if len(content) > _LARGEST_FILE:
        raise InputError(
            f"the configuration {path} is larger than {_LARGEST_FILE:,} bytes: is it another file?"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"cannot read the configuration {path}: line {line} is not UTF-8; save it as UTF-8"
        ) from error


def _put_all(
    tree: dict[str, Any], settings: Sequence[str], corpus: Sequence[str], origin: _Origin | None
) -> Iterator[str]:
    """Puts into the tree what can be put there; yields what is wrong with the rest."""
    for setting in settings:
        try:
            name, value = _assignment(setting)
            _put(tree, name, value, origin)
        except InputError as error:
            yield str(error)
    if corpus:
        try:
            _put(tree, "corpus.files", list(corpus), origin)
        except InputError as error:
            yield str(error)


def _assignment(setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    name = name.strip()
    if not equals or not all(name.split(".")):
        raise InputError(f"--set takes section.field=value, not {setting!r}")
    try:
        value, _, problems = yaml_tree.read_value(text, name)
    except yaml_tree.NotYamlError as error:
        raise InputError(f"the value of --set {shown(setting)} is not YAML: {error}") from error
    if problems:
        raise InputError("; ".join(f"--set {problem}" for _, problem in problems))
    return name, value


def _put(tree: dict[str, Any], name: str, value: Any, origin: _Origin | None) -> None:
    *sections, field = name.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise InputError(_no_value(section, tree) + (origin.place(section) if origin else ""))
    tree[field] = value
    if origin:
        origin.overruled(name)


def _input_error(sentences: Sequence[str]) -> InputError:
    different = list(dict.fromkeys(sentences))
    if len(different) == 1:
        return InputError(different[0])
    return InputError("\n  ".join([f"the configuration has {len(different)} errors:", *different]))


def _no_value(name: str, value: object) -> str:
    return f"{name} is a section of the configuration, it has no value {_value(value)}"


def _sentence(error: ErrorDetails, origin: _Origin | None) -> str:
    name = ".".join(str(part) for part in error["loc"])
    return _problem(error, name) + (origin.place(name) if origin and name else "")


def _problem(error: ErrorDetails, name: str) -> str:
    if error["type"] == "model_type":
        return _no_value(name, error["input"])
    if error["type"] == "value_error":  # of fields that do not fit together
        sentence = str(error["ctx"]["error"])
        return f"in {name}, {sentence}" if name else sentence  # of fields of several sections
    if error["type"] == "extra_forbidden":
        return _unknown_field(name)
    advice = f"; {_ADVICE[error['type']]}" if error["type"] in _ADVICE else ""
    description = {field: text for field, _, text in fields()}.get(name, "")
    return f"{name} = {_value(error['input'])} is not allowed: {error['msg']}{advice}" + (
        f" ({description})" if description else ""
    )


def _value(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} ..."


def _unknown_field(name: str) -> str:
    if name in _NO_FIELDS:
        return _NO_FIELDS[name]
    known = [field for field, *_ in fields()]
    if name in known:
        section, _, field = name.rpartition(".")
        return f"{name} is one name here: write `{section}:` and below it, indented, `{field}: ...`"
    # The right field in the wrong section is nearer than any other field of that section.
    same = [field for field in known if field.rpartition(".")[2] == name.rpartition(".")[2]]
    return unknown_name("field of the configuration", name, same or known)
