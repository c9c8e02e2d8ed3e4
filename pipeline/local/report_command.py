"""`skipgram report` and `compare`, and the page and the card that a run leaves at its end."""

import json
from collections.abc import Sequence
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.atomic import write_aside
from pipeline.config import Config
from pipeline.local import metadata_store
from pipeline.local.metadata_store import StoreLocation
from pipeline.local.output_folder import OutputFolder
from pipeline.local.releases import blessings
from pipeline.results.records import RUN_FILE, RunRecord
from pipeline.results.report.model_card import CARD_FILE, model_card
from pipeline.results.report.side_by_side import SideBySide, side_by_side
from pipeline.results.report.sources import Sources
from pipeline.terminal import stderr_to
from trainer_module.errors import InputError

LAST = "last"


def report(config: Config, output: OutputFolder, said: str, to: Path | None) -> Path:
    """Writes the report of a run.

    Args:
      config: says where the metadata store is.
      output: the folder of the run.
      said: which run: its name, a part that only its name has, or `last`, of those with figures.
      to: the file; None: report.html of the last run, and of any other one reports/RUN.html.

    Returns:
      The file.

    Raises:
      WrongCommandError: there is no such run.
      InputError: it has no figures.
    """
    store, location = _store(config, output)
    records = metadata_store.runs(store, location.pipeline_name)
    record = _with_figures(records, said)
    with stderr_to(Path("/dev/null")):  # TensorFlow's words, where it reads a model
        return _write(store, location, output, records, record, to)


def compare(config: Config, output: OutputFolder, first: str, second: str) -> SideBySide:
    """Puts two runs beside each other; see report."""
    store, location = _store(config, output)
    records = metadata_store.runs(store, location.pipeline_name)
    return side_by_side(_with_figures(records, first), _with_figures(records, second))


def after_run(location: StoreLocation, output: OutputFolder) -> None:
    """Leaves the report of the run that has just ended, and the card of the last blessed model."""
    store = metadata_store.open_store(location.connection)
    records = metadata_store.runs(store, location.pipeline_name)
    write_card(store, location.pipeline_name, output)
    _write(store, location, output, records, _with_figures(records, LAST), None)


def write_card(store: MetadataStore, pipeline_name: str, output: OutputFolder) -> None:
    """Puts the card of the last blessed model beside its vectors; without vectors, nothing."""
    noted = output.vectors / RUN_FILE
    if not noted.exists():
        return
    name = json.loads(noted.read_text(encoding="utf-8"))["run"]
    files = [path.name for path in output.vectors.iterdir() if path.name != CARD_FILE]
    for record in metadata_store.runs(store, pipeline_name):
        if record.name == name and _has_figures(record):
            card = model_card({**record.result, "run": name}, files)
            write_aside(output.vectors / CARD_FILE, card)


def _store(config: Config, output: OutputFolder) -> tuple[MetadataStore, StoreLocation]:
    location = metadata_store.store_location(config.metadata, output)
    return metadata_store.open_store(location.connection), location


def _has_figures(record: RunRecord) -> bool:
    return "full_softmax_cross_entropy" in record.result


def _with_figures(records: Sequence[RunRecord], said: str) -> RunRecord:
    judged = [record for record in records if _has_figures(record)]
    record = metadata_store.find_run(judged if said == LAST and judged else records, said)
    if not _has_figures(record):
        why = f" ({record.error})" if record.error else ""
        raise InputError(
            f"run {record.name} came to no figures, it is {record.status}{why}: name another one; "
            "`skipgram runs` lists them"
        )
    return record


def _write(
    store: MetadataStore,
    location: StoreLocation,
    output: OutputFolder,
    records: Sequence[RunRecord],
    record: RunRecord,
    to: Path | None,
) -> Path:
    from pipeline.results.report import page

    is_last = record is next(filter(_has_figures, records))
    path = to or (output.report if is_last else output.reports / f"{record.name}.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    artifacts = metadata_store.output_artifacts(store, record.run_id)
    folders = {
        key: folder
        for key, artifact in artifacts.items()
        if artifact.state == mlmd.Artifact.LIVE and (folder := Path(artifact.uri)).is_dir()
    }
    earlier = records[records.index(record) + 1 :]
    given = blessings.by_hand(store, location.pipeline_name)
    of_run = [one for one in given if one.run == record.name]
    page.write(Sources(record, earlier, folders, output.root, of_run), path)
    return path
