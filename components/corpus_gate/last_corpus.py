"""Finds the model whose corpus tonight's is held against, before there is one of tonight."""

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components import executions
from components.embedding_evaluator.last_blessed_model import (
    CANDIDATE,
    MODEL,
    MODEL_BLESSING,
    LastBlessedModelStrategy,
)
from components.embedding_evaluator.last_pushed_model import copy_last_pushed
from components.embedding_evaluator.order_of_blessings import MODEL_ID, last_blessing, number
from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    ResolverStrategy,
    component,
    standard_artifacts,
    types,
)
from components.tfx_api import standard_component_specs as specs

_LAST_MODEL = "last_model"  # the gate's input


class LastBlessedCorpusStrategy(ResolverStrategy):
    """Resolves the model that was blessed last, those of tonight's own corpus left out.

    When a run is repeated, the last blessed model is the one that it made. A corpus held against
    itself has lost nothing, and as the model is a new input, the gate would judge anew although
    nothing has changed. So a corpus whose model is the last blessed one stands beside the one that
    it has passed beside, whoever was blessed in between.
    """

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing, or none where no other corpus' was blessed."""
        graphs = {graph.id for graph in input_dict[specs.TRANSFORM_GRAPH_KEY]}
        tonight = _trained_on(store, graphs)
        others = {model.id: model for model in input_dict[MODEL] if model.id not in tonight}
        noted = [one.mlmd_artifact for one in input_dict[MODEL_BLESSING]]
        last = last_blessing(noted, {model.id for model in input_dict[MODEL]})
        if last is not None and number(last, MODEL_ID) in tonight:
            beside = _passed_beside(store, graphs)
            others = {key: model for key, model in others.items() if key == beside}
        found = LastBlessedModelStrategy().resolve_artifacts(
            store, {**input_dict, CANDIDATE: [], MODEL: list(others.values())}
        )
        return {**input_dict, MODEL: found[MODEL], MODEL_BLESSING: found[MODEL_BLESSING]}


def _passed_beside(store: MetadataStore, transform_graphs: set[int]) -> int | None:
    """Id of the model beside whose corpus the gate last let one of these pass, if any."""
    ended = executions.ended_readers(store, transform_graphs, specs.TRANSFORM_GRAPH_KEY)
    passed = (executions.inputs(store, execution.id, _LAST_MODEL) for execution in ended)
    return next((model for models in passed for model in models), None)


def _trained_on(store: MetadataStore, transform_graphs: set[int]) -> set[int]:
    """Ids of the models trained on one of the graphs, and of what was made of such a model."""
    trained = _made_of(store, transform_graphs, specs.TRANSFORM_GRAPH_KEY)
    return trained | _made_of(store, trained, MODEL)


def _made_of(store: MetadataStore, artifacts: set[int], key: str) -> set[int]:
    """Ids of what executions gave that took one of the artifacts as their input of that key."""
    readers = executions.readers(store, artifacts, key)
    outputs = store.get_events_by_execution_ids(sorted(readers)) if readers else []
    return {event.artifact_id for event in outputs if event.type == mlmd.Event.OUTPUT}


@component
def LastPushedCorpus(  # noqa: N802
    transform_graph: InputArtifact[standard_artifacts.TransformGraph],
    push_destination: Parameter[str],
    model: OutputArtifact[standard_artifacts.Model],
) -> None:
    """The same where no node can ask the metadata store: copies the model that was pushed last.

    Args:
      transform_graph: tonight's. It is not read; as an input it makes TFX answer out of its cache
        where the corpus is the same, so with the model that was pushed before, and nowhere else.
      push_destination: the Pusher's, a PushDestination in protobuf's JSON.
      model: the copy; without a model where nothing was pushed yet.
    """
    del transform_graph
    copy_last_pushed(push_destination, model)
