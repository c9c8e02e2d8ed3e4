"""`python -m benchmarks.tuning OUTPUT`: do settings that were found on a sample hold on the whole?

OUTPUT is one in which `skipgram tune` has ended. What was set and what was found are trained on all
documents, with two seeds, and measured as the search measures: by the same pairs for both, whatever
their windows and subsampling are. docs/tuning.md has the results.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import trainers
from components.hyperparameter_tuner.records import SEARCH_FILE, Measured, Records, Search
from components.hyperparameter_tuner.search_space import Value, with_values
from pipeline import config_file

_SEEDS = (1, 2)


def measured(output: str, name: str, values: list[dict[str, Value]], seed: int) -> dict[str, Any]:
    """Trials on all documents.

    Args:
      output: of the search.
      name: of the YAML that it wrote there.
      values: of each trial, by section.field.
      seed: of windows, model and candidates.

    Returns:
      As `trials` the measures, and the gain of the second one over the first with its error.
    """
    from components.hyperparameter_tuner import data
    from components.hyperparameter_tuner.trials import Trials
    from trainer_module.training.progress import say_nothing
    from trainer_module.workers import group

    config = config_file.load(Path(output, name))
    sections = with_values(config.model_dump(mode="json"), values[0])
    workers = group.join(threads=config.trainer.threads)
    transform = Path(output, "artifacts", "Transform")
    examples = _newest(transform / "transformed_examples")
    splits = ([str(examples / f"Split-{split}" / "*")] for split in ("train", "eval"))
    kind = config.corpus.kind
    found = data.read(
        str(_newest(transform / "transform_graph")), *splits, share=1.0, seed=seed, kind=kind
    )
    with tempfile.TemporaryDirectory() as folder:
        trials = Trials(found, kind, sections, workers, Records(Path(folder)))
        first, *others = (trials.run(one, say_nothing) for one in values)
    return {
        "trials": [_written(first), *map(_written, others)],
        "gains": [one.gain_over(first) for one in others],
    }


def _written(trial: Measured) -> dict[str, Any]:
    return {"measure": trial.measure, "cpu_seconds": trial.cpu_seconds, "failure": trial.failure}


def _newest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


def main(output: str, name: str = "tuned.yaml") -> None:
    """Measures and prints."""
    [*_, path] = sorted(
        Path(output).glob(f"artifacts/Tuner/tuner_results/*/{SEARCH_FILE}"),
        key=lambda path: int(path.parent.name),
    )
    search = Search.of_json(path.read_text(encoding="utf-8"))
    values = [dict(search.trials[0].values), dict(search.best.values)]
    table = Table("seed", "as set", "CPU s", "as found", "CPU s", "gain")
    for seed in _SEEDS:
        found = trainers.alone(measured, output, name, values, seed)
        cells = [
            text
            for trial in found["trials"]
            for text in (f"{trial['measure']:.4f}", f"{trial['cpu_seconds']:.0f}")
        ]
        [(gain, error)] = found["gains"]
        table.add_row(str(seed), *cells, f"{gain:+.4f} +- {error:.4f}")
    Console(width=100).print(search.measure, dict(search.best.values), table)


if __name__ == "__main__":
    main(*sys.argv[1:])
