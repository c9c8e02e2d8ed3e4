"""`make bench-memory`: seconds and memory from files to pairs, of 1 GB and of 4 GB of text.

Of each component up to Transform, run as `skipgram run` runs it. Memory must not know how large the
corpus is, and seconds must grow as it does.
"""

import contextlib
import resource
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import corpus, run, trainers
from benchmarks.growth import grown

_GIGABYTES = (1, 4)
_LAST = "Transform"
_MOST_MEGABYTES = 2_500
_FIGURES = ("seconds", "cpu_seconds", "peak_megabytes")


def main() -> None:
    """Measures, prints, writes the results, and says what took too much."""
    rows = [row for gigabytes in _GIGABYTES for row in measure(gigabytes, _LAST)]
    run.write("memory.json", {"machine": trainers.machine(), "rows": rows})
    table = Table("text, GB", "component", *_FIGURES)
    for row in rows:
        table.add_row(str(row["gigabytes"]), row["component"], *(str(row[f]) for f in _FIGURES))
    Console().print(table)
    large = [row for row in rows if row["peak_megabytes"] > _MOST_MEGABYTES]
    assert not large, large


def measure(gigabytes: float, last: str) -> list[dict[str, Any]]:
    """The figures of the components up to the one called `last`, of 10^9 bytes of text each."""
    folder = corpus.OUTPUT.absolute() / f"memory-{gigabytes}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        pattern = grown.write(folder / "corpus", round(gigabytes * 1e9 / grown.BYTES_OF_WORD))
        figures = trainers.alone(_run, folder, pattern, last)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [{"gigabytes": gigabytes, **row} for row in figures["rows"]]


class _Enough(Exception):  # noqa: N818
    """The last component has ended; what comes after it need not run."""


def _run(folder: Path, pattern: str, last: str) -> trainers.Figures:
    from pipeline.config import Config
    from pipeline.corpus.dates import Corpus
    from pipeline.local import local_pipeline, metadata_store, runner
    from pipeline.local.output_folder import OutputFolder

    config, output = Config(), OutputFolder(folder / "output")
    rows: list[dict[str, Any]] = []
    with contextlib.suppress(_Enough), output.locked(), output.temporary_folder() as temporary:
        location = metadata_store.store_location(config.metadata, output)
        runner.run(
            local_pipeline.create_pipeline(config, Corpus([pattern]), output, location),
            run_id="memory",
            seed=config.seed,
            logs=folder / "logs",
            temporary=temporary,
            show_progress=lambda progress: _note(progress, rows, last),
        )
    return {"rows": rows}


def _note(progress: object, rows: list[dict[str, Any]], last: str) -> None:
    from pipeline.results.records import ComponentRun

    if not isinstance(progress, ComponentRun):
        return
    row = {
        "component": progress.component,
        "seconds": round(progress.seconds, 1),
        "cpu_seconds": round(_cpu_seconds() - sum(row["cpu_seconds"] for row in rows), 1),
        "peak_megabytes": progress.peak_memory_bytes >> 20,
    }
    rows.append(row)
    if progress.component == last:
        raise _Enough


def _cpu_seconds() -> float:
    """Of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
