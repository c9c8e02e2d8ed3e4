"""The card that goes with vectors: Markdown below Hugging Face's YAML with its `model-index`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import yaml

from pipeline.results.report.answers import weaknesses
from pipeline.results.report.contents import Result, kind_of, terms_of, whole
from pipeline.results.report.figures import ALL, METRIC_NAMES, Figure, figures_of
from pipeline.results.report.sections.lineage import leaves
from pipeline.terminal import shown
from trainer_module.evaluation import word2vec_format

CARD_FILE = "MODEL_CARD.md"
_TASK = "feature-extraction"
_LOAD = """\
```python
from gensim.models import KeyedVectors

vectors = KeyedVectors.load_word2vec_format("vectors.bin", fvocab="vocab.txt", binary=True)
```
"""


def model_card(result: Result, files: Sequence[str]) -> str:
    """The text of MODEL_CARD.md.

    Args:
      result: of the run that made the model.
      files: names of those beside it.
    """
    return "\n".join([*_header(result), *_what_it_is(result, files), *_figures(result),
                      *_made_of(result), *_limits(result)])  # fmt: skip


def _header(result: Result) -> Iterator[str]:
    content = {
        "library_name": "skipgram-pipeline",
        "pipeline_tag": _TASK,
        "tags": ["skip-gram", *terms_of(result).tags, "tfx"],
        "model-index": [{"name": _name(result), "results": [_evaluated(result)]}],
    }
    written = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    yield f"---\n{written}---\n"


def _name(result: Result) -> str:
    return f"skipgram-{result['run']}"


def _evaluated(result: Result) -> dict[str, Any]:
    terms = terms_of(result)
    task = {"type": _TASK, "name": f"Contexts of {terms.tokens}, by skip-gram"}
    dataset = {
        "type": terms.data,
        "name": _corpus(result),
        "split": f"held-out {terms.held_out}",
    }
    metrics = [
        {"type": figure.name, "name": figure.label, "value": value}
        for figure, value in _metrics(result)
    ]
    return {"task": task, "dataset": dataset, "metrics": metrics}


def _metrics(result: Result) -> Iterator[tuple[Figure, float]]:
    """Without what its corpus and its machine are."""
    for name, (figure, value) in figures_of(result).items():
        if name in METRIC_NAMES or name not in ALL:
            yield figure, value


def _corpus(result: Result) -> str:
    """Names of files without their folders: a card is shown to others."""
    patterns = result.get("configuration", {}).get("corpus", {}).get("files") or ()
    names = [PurePath(pattern).name or pattern for pattern in patterns]
    return shown(", ".join(names)) or "docstrings of installed Python packages"


def _what_it_is(result: Result, files: Sequence[str]) -> Iterator[str]:
    settings = dict(leaves(result.get("configuration") or {}))
    dim = settings.get("trainer.dim")
    yield f"# {_name(result)}\n"
    yield (
        f"Vectors of {whole(result['vocabulary_size'])} tokens"
        + (f" in {dim} dimensions" if dim else "")
        + f", learnt by skip-gram (objective `{result['objective']}`) from "
        f"{whole(result['pairs_train'])} pairs. Made by skipgram-pipeline, run `{result['run']}`.\n"
    )
    if files:
        yield f"Files beside this card: {', '.join(f'`{name}`' for name in sorted(files))}.\n"
    if word2vec_format.BINARY_FILE in files:
        yield _LOAD


def _figures(result: Result) -> Iterator[str]:
    yield "## Evaluation\n"
    yield f"{_sentence(result.get('verdict', ''))}\n"
    yield (
        f"On {whole(result['pairs_eval'])} pairs of held-out {terms_of(result).held_out}, over the "
        "whole vocabulary, not sampled:\n"
    )
    yield "| figure | value | unit | better |\n|---|---|---|---|"
    for figure, value in _metrics(result):
        better = figure.better or ""
        yield f"| {figure.label} | {figure.text(value)} | {figure.unit_if_any} | {better} |"
    yield ""


def _made_of(result: Result) -> Iterator[str]:
    yield "## Training\n"
    yield (
        f"- Corpus: `{_corpus(result).replace('`', '')}`, {whole(result['documents'])} documents, "
        f"{whole(result['tokens'])} tokens; {whole(result['documents_eval'])} documents held out."
    )
    for section in ("corpus", "preprocessing", "trainer"):
        fields = dict(leaves((result.get("configuration") or {}).get(section) or {}))
        said = [_setting(name, fields) for name in fields if _says_something(name, result)]
        if said:
            yield f"- {section}: {', '.join(said)}."
    yield f"- seed: `{result['seed']}`."
    versions: Mapping[str, str] = result.get("versions") or {}
    if versions:
        yield f"- versions: {', '.join(f'{name} {one}' for name, one in versions.items())}."
    yield ""


def _says_something(name: str, result: Result) -> bool:
    """Not files, whose names stand above, and not what other kinds of corpus do not have."""
    of_edges = name == "directed" or name.startswith("walks.")
    return name != "files" and (not of_edges or kind_of(result) == "edges")


def _setting(name: str, fields: Mapping[str, Any]) -> str:
    # A warm start may name a path of this machine.
    value = fields[name]
    value = PurePath(value).name if isinstance(value, str) and "/" in value else value
    return f"`{name}={shown(str(value)).replace('`', '')}`"


def _limits(result: Result) -> Iterator[str]:
    yield "## Limits\n"
    yield (
        f"- {whole(result['distinct_tokens_left_out'])} different tokens of the corpus are too "
        "rare and have no vector."
    )
    yield "- Vectors repeat what their corpus says, its prejudices included."
    yield from (f"- {sentence}" for _, sentence in weaknesses(result))
    yield ""


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""
