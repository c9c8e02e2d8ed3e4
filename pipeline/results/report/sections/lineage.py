"""Where it came from: configuration, versions, artifacts, and what each component took."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.config import Config
from pipeline.results.report.contents import Listing, Result, Section, Table, whole
from pipeline.results.report.sources import Sources


def section(sources: Sources) -> Section:
    """Of one run."""
    result = sources.record.result
    intro = (
        f"Run {sources.record.name} began on {sources.record.started:%d %B %Y at %H:%M:%S}. "
        "Paths are below the output folder."
    )
    listings = [
        _run(sources),
        *_configuration(result),
        *_versions(result),
        _artifacts(sources),
        *_components(result),
    ]
    return Section("lineage", "Lineage", intro, listings=listings)


def _run(sources: Sources) -> Listing:
    record, result = sources.record, sources.record.result
    fields = {
        "run": record.name,
        "run id in the metadata store": _other_than(record.name, record.run_id),
        "result": record.status,
        "corpus": record.corpus,
        "model trained by run": _other_than(record.name, result.get("model_of")),
        "compared with run": (result.get("last_blessed") or {}).get("run"),
        "last blessed version in serving/": result.get("version"),
        "seed": result.get("seed"),
        "space of the vectors": result.get("space_id"),
    }
    rows = [(name, str(value)) for name, value in fields.items() if value not in (None, "")]
    return Listing("The run", Table(("what", "which"), rows))


def _other_than(name: str, other: str | None) -> str | None:
    return None if other == name else other


def _configuration(result: Result) -> Iterator[Listing]:
    """What differs from the defaults, and below it everything."""
    written = result.get("configuration")
    if not written:
        return
    defaults = dict(leaves(Config().model_dump(mode="json")))
    every = dict(leaves(written))
    changed = [
        (name, _shown(value), _shown(defaults.get(name)))
        for name, value in every.items()
        if value != defaults.get(name)
    ]
    if changed:
        yield Listing("What was set", Table(("field", "value", "default"), changed))
    rows = [(name, _shown(value)) for name, value in every.items()]
    yield Listing("The whole configuration", Table(("field", "value"), rows), is_folded=True)


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tree by their dotted names.

    >>> dict(leaves({"seed": 1, "trainer": {"dim": 100}}))
    {'seed': 1, 'trainer.dim': 100}
    """
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    return "none" if value is None else str(value)


def _versions(result: Result) -> Iterator[Listing]:
    if versions := result.get("versions"):
        yield Listing("Versions", Table(("package", "version"), list(versions.items())))


def _artifacts(sources: Sources) -> Listing:
    rows = [
        (component, key, _below(folder, sources.root))
        for (component, key), folder in sorted(sources.folders.items())
    ]
    table = Table(("component", "output", "folder"), rows)
    return Listing("Artifacts", table, "Those of what was pruned are not listed.", is_folded=True)


def _below(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)


def _components(result: Result) -> Iterator[Listing]:
    seconds, memory = result.get("seconds") or {}, result.get("peak_memory_megabytes") or {}
    rows = [
        (
            name,
            "cached" if name in result.get("cached", ()) else f"{spent:,.1f}",
            whole(memory[name]) if name in memory else "",
        )
        for name, spent in seconds.items()
    ]
    if rows:
        head = ("component", "seconds", "peak memory, MB")
        yield Listing("What each component took", Table(head, rows), is_folded=True)
