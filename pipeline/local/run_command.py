"""`skipgram run`: from the command line's words to a summary, on this machine."""

import contextlib
import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from components.corpus_gate.kinds import other_kind
from components.multi_worker_trainer import local_workers
from pipeline import failures
from pipeline.atomic import write_aside
from pipeline.beam_arguments import require_job_server
from pipeline.config import Config
from pipeline.corpus import evaluation_sets
from pipeline.corpus.dates import Corpus
from pipeline.failures import ComponentFailedError, WrongCommandError
from pipeline.local import beginning
from pipeline.local.output_folder import OutputFolder
from pipeline.results import closing, display, summary_tables
from pipeline.results.embeddings import Embeddings
from pipeline.results.records import Summary, said_kind
from pipeline.terminal import shown, stderr_to
from trainer_module.errors import InputError

if TYPE_CHECKING:
    from pipeline.local.metadata_store import StoreLocation

# What takes seconds to import, before the components are forked.
_HEAVY_MODULES = (
    "pipeline.local.local_pipeline",
    "pipeline.local.runner",
    "pipeline.results.summary",
    "pipeline.results.tensorboard",
)


def run(config: Config, corpus: Corpus | None, output: OutputFolder, console: Console) -> Summary:
    """Runs the pipeline and leaves summary.json, vectors/, report.html and the store's record.

    Args:
      config: all that can be set.
      corpus: what to read, from `corpus.dates.resolve_corpus`; None: the quick-start corpus.
      output: the output folder.
      console: where progress is shown.

    Returns:
      The summary; if it is not `blessed`, `why_not_blessed` says why.

    Raises:
      InputError: the output folder, the metadata store, Beam's job server or an evaluation set
        cannot be used, or several workers cannot be kept from strangers.
      ComponentFailedError: a component failed, or withheld the run (failures.is_withheld).
    """
    failures.require_memory()
    config = evaluation_sets.in_full(beginning.with_base_in_full(config))
    with output.locked():
        location = beginning.usable_location(config, output)
        _require_kind_of_last(config, location)
        require_job_server(config.beam)
        _require_workers_network(config)
        corpus = beginning.found(corpus, output, console)
        name = _new_name(location, output)
        logs = output.logs / name
        logs.mkdir(parents=True)
        beginning.prepare_forks(config, _HEAVY_MODULES, logs, console)
        summary = _run(config, corpus, output, location, name, logs, console)
        _leave_report(location, output, logs, console)
        return summary


def _leave_report(
    location: "StoreLocation", output: OutputFolder, logs: Path, console: Console
) -> None:
    """The run is finished and noted, whatever becomes of its picture."""
    from pipeline.local import report_command

    with beginning.said(console, "Report"):
        try:
            with stderr_to(logs / "report.log"):
                report_command.after_run(location, output)
        except Exception as error:
            sentence = failures.explain(error, output.root)
            beginning.warn(
                console, f"no report was written, `skipgram report` tries again: {sentence}"
            )


def _require_kind_of_last(config: Config, location: "StoreLocation") -> None:
    """What the CorpusGate would refuse, if the last blessed run is known to be of another kind."""
    from pipeline.local import metadata_store

    store = metadata_store.open_store(location.connection)
    records = metadata_store.runs(store, location.pipeline_name)
    blessed = (one.result for one in records if one.status == metadata_store.BLESSED)
    last_kind = said_kind(next(blessed, {}))
    if last_kind and (problem := other_kind(config.corpus.kind, last_kind)):
        raise WrongCommandError(problem)


def _require_workers_network(config: Config) -> None:
    """What the Trainer would refuse is refused before anything is computed."""
    trainer = config.trainer
    if local_workers.are_wanted(trainer.workers) and not trainer.expose_workers:
        try:
            local_workers.require_network()
        except InputError as error:
            raise WrongCommandError(str(error)) from error


def _new_name(location: "StoreLocation", output: OutputFolder) -> str:
    """What the run is called, by its folders and by the version of its model."""
    from pipeline.local import metadata_store, serving_folder

    store, served = metadata_store.open_store(location.connection), serving_folder.highest
    now = datetime.datetime.now()
    return metadata_store.new_name(store, location.pipeline_name, served(output.serving), now)


def _run(
    config: Config,
    corpus: Corpus,
    output: OutputFolder,
    location: "StoreLocation",
    name: str,
    logs: Path,
    console: Console,
) -> Summary:
    from pipeline.local import metadata_store

    beginning.remove_unusable(location, output, console)
    store = metadata_store.open_store(location.connection)
    read = ", ".join(config.corpus.files) or "quick start"
    read += f" of {corpus.date}" if corpus.date else ""
    run_id = location.run_id(name)
    metadata_store.begin_run(store, location.pipeline_name, run_id, read)
    del store  # no connection may cross a fork
    try:
        return _begun(config, corpus, output, location, name, logs, console)
    except BaseException as raised:
        error = _named_damage(raised, location)
        interrupted = isinstance(error, KeyboardInterrupt)
        sentence = "interrupted" if interrupted else failures.explain(error, output.root)
        withheld = isinstance(error, ComponentFailedError) and failures.is_withheld(error)
        status = metadata_store.NOT_BLESSED if withheld else metadata_store.FAILED
        verdict = {"verdict": sentence} if withheld else {}
        _end(location, run_id, status, {"error": sentence, **verdict})
        if error is raised:
            raise
        raise error from raised


def _named_damage(error: BaseException, location: "StoreLocation") -> BaseException:
    """The same failure; if an artifact is damaged, with the sentence that says so."""
    from pipeline.local import metadata_store

    if isinstance(error, ComponentFailedError) and failures.is_unforeseen(error):
        with contextlib.suppress(Exception):  # as in _end
            store = metadata_store.open_store(location.connection)
            if damage := metadata_store.why_unreadable(store, location.pipeline_name):
                sentence = f"{damage}: the same command makes it anew"
                return ComponentFailedError(error.component, sentence, error.trace, error.log)
    return error


def _begun(
    config: Config,
    corpus: Corpus,
    output: OutputFolder,
    location: "StoreLocation",
    name: str,
    logs: Path,
    console: Console,
) -> Summary:
    """Runs the components of a run that is noted, and notes its result."""
    from pipeline.local import local_pipeline, metadata_store, runner
    from pipeline.local.releases import conclusion
    from pipeline.results import summary, tensorboard
    from trainer_module.training import checkpoints

    with output.temporary_folder() as temporary, display.ProgressDisplay(console) as progress:
        components = runner.run(
            local_pipeline.create_pipeline(config, corpus, output, location),
            run_id=location.run_id(name),
            seed=config.seed,
            logs=logs,
            temporary=temporary,
            show_progress=progress.show,
        )
    store = metadata_store.open_store(location.connection)
    artifacts = metadata_store.output_artifacts(store, location.run_id(name))
    with stderr_to(logs / "summary.log"):
        collected = summary.collect(name, config, artifacts, components, corpus)
        outcome = conclusion.conclude(store, location, output, artifacts, name)
    if outcome.restored:
        beginning.warn(
            console, f"{outcome.restored} was not as it was pushed: restored from its copy"
        )
    collected = conclusion.with_outcome(collected, outcome, store, location.pipeline_name)
    status = metadata_store.BLESSED if collected.blessed else metadata_store.NOT_BLESSED
    write_aside(output.summary, json.dumps(collected.as_json(), indent=2) + "\n")
    tensorboard.write(
        output.tensorboard,
        output.vectors,
        collected,
        status,
        metadata_store.runs(store, location.pipeline_name),
        config.evaluator.compared_metric,
    )
    # What they would go on with is finished and comes from the cache.
    checkpoints.remove_all(output.checkpoints)
    metadata_store.end_run(store, location.run_id(name), status, collected.as_json())
    return collected


def _end(location: "StoreLocation", run_id: str, status: str, result: dict[str, Any]) -> None:
    from pipeline.local import metadata_store

    # A full disk or a server that is gone may be why the run failed: then its end cannot be noted
    # either.
    with contextlib.suppress(Exception):
        metadata_store.end_run(
            metadata_store.open_store(location.connection), run_id, status, result
        )


def show(summary: Summary, output: OutputFolder, console: Console) -> None:
    """Prints a summary as a table, with the neighbours of a few frequent words, and the verdict.

    Why a model is not blessed the command says, on stderr.
    """
    console.print(summary_tables.summary_table(summary))
    if summary.evaluations:
        console.print(summary_tables.evaluations_table(summary))
    console.print(summary_tables.approximation_table(summary))
    if summary.blessed:
        console.print(summary_tables.neighbors_table(Embeddings.load(output.vectors)))
    if summary.all_cached:
        console.print("All components are cached: nothing has changed since they last ran.")
    for line in closing.closing_lines(summary, output.root):
        console.print(line, highlight=False, soft_wrap=True)
    if summary.blessed:
        console.print(Text(shown(summary.verdict)), highlight=False, soft_wrap=True)
