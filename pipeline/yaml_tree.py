"""YAML 1.2 to a tree that knows its lines; what readers would take in different ways is refused."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

_TAG = "tag:yaml.org,2002:"
# The core schema of YAML 1.2. PyYAML's own is that of 1.1: 1:30 is 90 there, no is False, and 1e-4
# is text.
_PLAIN = {
    "null": r"|~|null|Null|NULL",
    "bool": r"true|True|TRUE|false|False|FALSE",
    # More digits are no number of ours, nor one that Python reads.
    "int": r"[-+]?[0-9]{1,999}|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)"
    r"|\.nan|\.NaN|\.NAN",
}
_CONSTRUCTORS: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": lambda text: int(text, 0 if text[:2] in ("0o", "0x") else 10),
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
}
# 64 in YAML 1.1, 100 in 1.2, and who wrote it may mean either.
_LEADING_ZERO = re.compile(r"([-+]?)0+([0-9]+)")

# By what PyYAML says; the last is for all else.
_ADVICE = {
    r"'\t'": "indent with blanks, not with tabs",
    "another document": "leave one of them",
    "is an alias": "write the value, in quotes if it is text",
    "is a tag": "write the value alone, in quotes if it is text",
    "is no name": "write the name of a section or a field",
    "": "if it is text that holds signs of YAML's own, put it in quotes",
}


class NotYamlError(ValueError):
    """A text is not YAML, or uses what has no place in a tree of values."""

    def __init__(self, problem: str, line: int):
        super().__init__(problem)
        self.line = line  # from 1


class Tree(NamedTuple):
    """What a text holds."""

    values: Any
    lines: dict[str, int]  # where each key or item is, from 1, by its dotted name
    problems: list[tuple[int, str]]  # what is written so that it may be misread, and its line


def read(text: str) -> Tree:
    r"""Reads one document of YAML.

    Raises:
      NotYamlError: see there.

    >>> read("trainer:\n  dim: 3").lines
    {'trainer': 1, 'trainer.dim': 2}
    >>> read("seed: 1:30\nseed: 2").problems
    [(2, 'seed is here again, after line 1: leave one of them out')]
    """
    return _read(text, lambda reading, root: reading.value(root, ""))


def read_value(text: str, name: str) -> Tree:
    """Reads what would stand behind `name: ` in a document, and so means the same as there.

    Args:
      text: the value.
      name: dotted, for problems and lines.

    Raises:
      NotYamlError: see there.

    >>> read_value("1:30", "seed").values, read_value("90", "seed").values
    ('1:30', 90)
    """

    def value(reading: "_Reading", root: yaml.Node | None) -> Any:
        if not isinstance(root, yaml.MappingNode) or len(root.value) != 1:
            raise _error("it is more than one value", root)
        [(_, node)] = root.value
        return reading.value(node, name)

    return _read(f"value: {text}", value)


def _read(text: str, value: Callable[["_Reading", yaml.Node | None], Any]) -> Tree:
    reading = _Reading()
    try:
        values = value(reading, _Loader(text).get_single_node())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYamlError(_problem(error), mark.line + 1 if mark else 1) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"the character {chr(error.character)!r} has no place in it: take it out"
        raise NotYamlError(problem, line) from error
    except RecursionError as error:
        raise NotYamlError("it is nested too deeply: leave brackets out", 1) from error
    return Tree(values, reading.lines, reading.problems)


def _problem(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's words, and what to do."""
    parts = (error.context, error.problem)
    problem = " ".join(", ".join(part for part in parts if part).split())
    advice = (advice for sign, advice in _ADVICE.items() if sign in problem)
    return f"{problem}: {next(advice)}"


class _Loader(yaml.SafeLoader):
    """Plain text by the core schema; no alias, which could stand for billions of values; no tag."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _error(f"*{event.anchor} is an alias", event)
        if getattr(event, "tag", None) is not None:
            raise _error(f"{event.tag} is a tag", event)
        return super().compose_node(parent, index)


def _error(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern in _PLAIN.items():
    # None: tried whatever the first character is.
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), None)


class _Reading:
    """One tree of nodes, read from the root on."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[tuple[int, str]] = []

    def value(self, node: yaml.Node | None, name: str) -> Any:
        """The value of a node, and of those below it, which has this dotted name."""
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, name))
        if isinstance(node, yaml.SequenceNode):
            return [self._noted(item, item, f"{name}.{i}") for i, item in enumerate(node.value)]
        return None if node is None else self._scalar(node, name)

    def _items(self, node: yaml.MappingNode, name: str) -> Iterator[tuple[str, Any]]:
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _error("a list or a mapping is no name", key)
            dotted = f"{name}.{key.value}" if name else key.value
            if dotted in self.lines:
                self._complain(
                    key,
                    f"{dotted} is here again, after line {self.lines[dotted]}: "
                    "leave one of them out",
                )
            yield key.value, self._noted(key, value, dotted)

    def _noted(self, place: yaml.Node, node: yaml.Node, name: str) -> Any:
        self.lines.setdefault(name, place.start_mark.line + 1)
        return self.value(node, name)

    def _scalar(self, node: yaml.Node, name: str) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind == "int" and (found := _LEADING_ZERO.fullmatch(text)):
            self._complain(
                node,
                f"{name} = {text} begins with a zero, by which some mean an octal number: write "
                f"{''.join(found.groups())}, or '{text}' in quotes if it is text",
            )
        return _CONSTRUCTORS[kind](text) if kind in _CONSTRUCTORS else text

    def _complain(self, node: yaml.Node, problem: str) -> None:
        self.problems.append((node.start_mark.line + 1, problem))
