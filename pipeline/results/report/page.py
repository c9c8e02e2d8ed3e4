"""The page: sections as one file of HTML that asks nobody for anything.

Tokens, paths and sentences are of strangers. The template escapes all text, JSON in it too; and the
page itself says which scripts may run in it, by their hashes, and that nothing may be fetched.
"""

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.atomic import write_aside
from pipeline.results.embeddings import Embeddings
from pipeline.results.report import sources as read
from pipeline.results.report import vega
from pipeline.results.report.answers import answers
from pipeline.results.report.contents import Section, terms_of, whole
from pipeline.results.report.figures import tiles
from pipeline.results.report.map_chart import map_chart
from pipeline.results.report.sections import corpus, evaluation, lineage, runs, training, words
from pipeline.results.report.sources import Sources
from pipeline.results.report.word_map import MappedWord, word_map
from pipeline.terminal import shown

_FILES = Path(__file__).with_name("page_files")
_SCRIPT = "report.js"
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?( %)?")
_SIGN = re.compile(r"(?<=\d) %")


def write(sources: Sources, path: Path) -> None:
    """Writes the report of a run; a file that is there is replaced when the new one is whole."""
    write_aside(path, render(sources))


def render(sources: Sources) -> str:
    """The page.

    Raises:
      RuntimeError: see vega.javascript.
    """
    result = sources.record.result
    with ThreadPoolExecutor(1) as aside:  # it waits for another process
        javascript = aside.submit(vega.javascript)
        vectors = read.embeddings(sources)
        mapped = [] if vectors is None else word_map(vectors)
        sections = list(_sections(sources, vectors))
    scripts = [javascript.result(), (_FILES / _SCRIPT).read_text(encoding="utf-8")]
    return _environment().get_template("report.html").render(
        record=sources.record,
        answers=answers(result, sources.by_hand),
        tiles=tiles(result, _last(sources)),
        sections=sections,
        mapped=mapped,
        terms=terms_of(result),
        mapped_tokens=whole(len(mapped)),
        data=_data(sections, mapped),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
    )  # fmt: skip


def _sections(sources: Sources, vectors: Embeddings | None) -> Iterator[Section]:
    """In the order of the page."""
    result = sources.record.result
    yield runs.section([sources.record, *sources.earlier])
    yield evaluation.section(result)
    yield training.section(result)
    if vectors is not None:
        yield words.neighbors(vectors, terms_of(result))
    if (comparison := read.comparison(sources)) is not None:
        yield words.moved(comparison)
    named, lengths = sources.record.corpus, read.document_lengths(sources)
    yield corpus.section(result, named, read.reading(sources), lengths, vectors)
    yield lineage.section(sources)


def _last(sources: Sources) -> Mapping[str, Any]:
    """The result of the last blessed run before this one."""
    name = (sources.record.result.get("last_blessed") or {}).get("run")
    return next((one.result for one in sources.earlier if one.name == name), {})


def _data(sections: list[Section], mapped: list[MappedWord]) -> dict[str, Any]:
    """What the page's script draws."""
    charts = {chart.name: chart.spec for section in sections for chart in section.charts}
    if mapped:
        charts["map"] = map_chart(mapped)
    neighbors = {word.token: word.neighbors for word in mapped}
    plain: dict[str, Any] = _plain({"charts": charts, "neighbors": neighbors})
    return plain


def _plain(value: Any) -> Any:
    """JSON with nothing in its text that would change how a line reads."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(name): _plain(one) for name, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FILES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: _unbroken(shown(value)) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = lambda cell: bool(_NUMBER.fullmatch(cell))
    environment.policies["json.dumps_function"] = _json
    return environment


def _unbroken(text: str) -> str:
    """No line ends between a number and its sign."""
    return _SIGN.sub("\u00a0%", text)


def _json(value: Any, **options: Any) -> str:
    """Short, as no person reads it. Jinja's `tojson` escapes it for HTML."""
    del options
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _policy(scripts: list[str]) -> str:
    """What the browser lets the page do: run these scripts, and fetch nothing."""
    hashes = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}"
