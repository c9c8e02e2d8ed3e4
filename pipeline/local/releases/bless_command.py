"""`skipgram bless`: a person says that the model of a run is the last blessed one."""

from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.config import Config
from pipeline.failures import WrongCommandError
from pipeline.local import metadata_store, report_command
from pipeline.local.output_folder import OutputFolder
from pipeline.local.releases import blessings
from pipeline.results import tensorboard
from pipeline.results.records import RunRecord
from pipeline.terminal import stderr_to
from trainer_module.errors import InputError


def bless(config: Config, output: OutputFolder, said: str, by: str, reason: str) -> str:
    """Pushes and exports the model of a run, withheld or replaced, and notes who said so and why.

    The same call again finishes what a kill has left.

    Args:
      config: says where the metadata store is.
      output: the folder of the run.
      said: which run: its name, a part that only its name has, or `last`.
      by: who blesses it.
      reason: why.

    Returns:
      What was done, for people.

    Raises:
      WrongCommandError: there is no such run, or no reason.
      InputError: the run has no model any more, or never had one; another run is under way.
    """
    if not (reason := reason.strip()):
        raise WrongCommandError("--reason is empty: say in a few words why the model is blessed")
    with output.locked():
        location = metadata_store.store_location(config.metadata, output)
        store = metadata_store.open_store(location.connection)
        metadata_store.remove_unusable(store, location.pipeline_name, output.artifacts)
        records = metadata_store.runs(store, location.pipeline_name)
        record = metadata_store.find_run(records, said)
        model = _model(store, record)
        before = blessings.last_release(store, location.pipeline_name)
        is_last = before is not None and before.model.id == model.id
        with stderr_to(Path("/dev/null")):  # TensorFlow's words on this machine's processor
            if not is_last:
                noted = {blessings.RUN: record.name, blessings.BY: by, blessings.REASON: reason}
                blessings.bless(store, location, output, model, noted)
            last, _ = blessings.settle(store, location, output, record.name)
        tensorboard.write_projector(output.tensorboard, output.vectors)
        report_command.write_card(store, location.pipeline_name, output)
    assert last is not None
    served = f"serving/{last.version} and vectors/ hold its model"
    if is_last:
        return f"run {record.name} is the last blessed one already: {served}"
    return f"run {record.name} is blessed: {served}, and the next one is compared with it"


def _model(store: MetadataStore, record: RunRecord) -> mlmd.Artifact:
    """The model of a run that ended."""
    if record.status not in (metadata_store.BLESSED, metadata_store.NOT_BLESSED):
        why = f" ({record.error})" if record.error else ""
        raise InputError(
            f"run {record.name} came to no verdict, it is {record.status}{why}: name one that the "
            "gate has judged; `skipgram runs` lists them"
        )
    model = metadata_store.output_artifacts(store, record.run_id).get(blessings.RUN_MODEL)
    if model is None and record.error:
        raise InputError(
            f"run {record.name} has no model, it ended before training: {record.error}"
        )
    if model is None or model.state != mlmd.Artifact.LIVE:
        raise InputError(
            f"the model of run {record.name} is gone (pruned or damaged): give the command of that "
            "run again, or name another run"
        )
    return model
