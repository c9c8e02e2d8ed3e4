"""Finds the model that training begins with where trainer.warm_start=last_blessed."""

from collections.abc import Sequence

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components import executions
from components.embedding_evaluator.last_blessed_model import (
    CANDIDATE,
    MODEL,
    LastBlessedModelStrategy,
)
from components.embedding_evaluator.last_pushed_model import copy_last_pushed
from components.multi_worker_trainer.executor import EPOCHS
from components.tfx_api import (
    BASE_MODEL_KEY,
    CUSTOM_CONFIG_KEY,
    InputArtifact,
    OutputArtifact,
    Parameter,
    ResolverStrategy,
    component,
    standard_artifacts,
    types,
)
from components.tfx_api import standard_component_specs as specs


class BaseModelStrategy(ResolverStrategy):
    """Resolves the model that was blessed last; of a training that was done before, its base.

    When a command is given again, the last blessed model is the very model that it made. With that
    as its base the Trainer would have a new input, and train on, at every repetition. The same
    configuration on the same corpus gives the same model, from the cache, also after others were
    blessed.
    """

    def __init__(self, custom_config: str, epochs: int) -> None:
        """Takes the Trainer's execution properties that say what it does."""
        self._custom_config = custom_config
        self._epochs = epochs

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model; none in the first run."""
        last_blessed = LastBlessedModelStrategy().resolve_artifacts(
            store, {**input_dict, CANDIDATE: []}
        )[MODEL]
        live = {model.id: model for model in input_dict[MODEL]}
        done = self._same_trainings(store, input_dict[specs.TRANSFORM_GRAPH_KEY])
        for execution in done:
            bases = executions.inputs(store, execution.id, BASE_MODEL_KEY)
            if bases <= live.keys():  # else it cannot be done again as it was
                return {**input_dict, MODEL: [live[base] for base in bases]}
        return {**input_dict, MODEL: last_blessed}

    def _same_trainings(
        self, store: MetadataStore, transform_graphs: Sequence[types.Artifact]
    ) -> list[mlmd.Execution]:
        """The Trainer's on this corpus, with these properties, that ended well; newest first."""
        graphs = [graph.id for graph in transform_graphs]
        return [
            execution
            for execution in executions.ended_readers(store, graphs, specs.TRANSFORM_GRAPH_KEY)
            if _property(execution, CUSTOM_CONFIG_KEY).string_value == self._custom_config
            and _property(execution, EPOCHS).int_value == self._epochs
        ]


def _property(execution: mlmd.Execution, name: str) -> mlmd.Value:
    if name in execution.custom_properties:
        return execution.custom_properties[name]
    return mlmd.Value()


@component
def PushedBaseModel(  # noqa: N802
    transform_graph: InputArtifact[standard_artifacts.TransformGraph],
    push_destination: Parameter[str],
    custom_config: Parameter[str],
    epochs: Parameter[int],
    model: OutputArtifact[standard_artifacts.Model],
) -> None:
    """The same where no node can ask the metadata store: copies the model that was pushed last.

    Args:
      transform_graph, custom_config, epochs: of the Trainer. They are not read; as inputs they make
        TFX answer out of its cache where the same training was done before, and nowhere else.
      push_destination: the Pusher's, a PushDestination in protobuf's JSON.
      model: the copy; without a model where nothing was pushed yet.
    """
    del transform_graph, custom_config, epochs
    copy_last_pushed(push_destination, model)
