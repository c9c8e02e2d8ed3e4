"""TFX by one door: every name of TFX's insides that we use, so that an upgrade is one file.

A name is imported when it is first asked for. The executor for Vertex brings
google.cloud.aiplatform (10 seconds) and the compiler for Kubeflow needs kfp; Beam's workers should
pay for neither.
"""

import importlib
from typing import Any

# Our name -> a module of TFX, or module:attribute.
_NAMES = {
    # Artifacts, channels and the keys of the standard components.
    "BASE_MODEL_KEY": "tfx.types.standard_component_specs:BASE_MODEL_KEY",
    "BASELINE_MODEL_KEY": "tfx.types.standard_component_specs:BASELINE_MODEL_KEY",
    "CUSTOM_CONFIG_KEY": "tfx.types.standard_component_specs:CUSTOM_CONFIG_KEY",
    "artifact": "tfx.types.artifact",
    "artifact_utils": "tfx.types.artifact_utils",
    "standard_artifacts": "tfx.types.standard_artifacts",
    "standard_component_specs": "tfx.types.standard_component_specs",
    "types": "tfx.types",
    # To declare components and pipelines.
    "BaseBeamExecutor": "tfx.dsl.components.base.base_beam_executor:BaseBeamExecutor",
    "BaseExecutor": "tfx.dsl.components.base.base_executor:BaseExecutor",
    "BaseComponent": "tfx.dsl.components.base.base_component:BaseComponent",
    "BaseNode": "tfx.dsl.components.base.base_node:BaseNode",
    "BeamExecutorSpec": "tfx.dsl.components.base.executor_spec:BeamExecutorSpec",
    "ExecutionParameter": "tfx.types.component_spec:ExecutionParameter",
    "ExecutorClassSpec": "tfx.dsl.components.base.executor_spec:ExecutorClassSpec",
    "Pipeline": "tfx.orchestration.pipeline:Pipeline",
    "Resolver": "tfx.dsl.components.common.resolver:Resolver",
    "ResolverStrategy": "tfx.dsl.components.common.resolver:ResolverStrategy",
    "RuntimeParameter": "tfx.orchestration.data_types:RuntimeParameter",
    # To declare a component as a function.
    "InputArtifact": "tfx.dsl.component.experimental.annotations:InputArtifact",
    "OutputArtifact": "tfx.dsl.component.experimental.annotations:OutputArtifact",
    "Parameter": "tfx.dsl.component.experimental.annotations:Parameter",
    "component": "tfx.dsl.component.experimental.decorators:component",
    # The standard components, as they are and as what ours derive from.
    "base_example_gen_executor": "tfx.components.example_gen.base_example_gen_executor",
    "evaluator_component": "tfx.components.evaluator.component",
    "evaluator_constants": "tfx.components.evaluator.constants",
    "evaluator_executor": "tfx.components.evaluator.executor",
    "example_gen_component": "tfx.components.example_gen.component",
    "example_gen_driver": "tfx.components.example_gen.driver",
    "example_gen_input_processor": "tfx.components.example_gen.input_processor",
    "example_validator_component": "tfx.components.example_validator.component",
    "example_validator_executor": "tfx.components.example_validator.executor",
    "write_split": "tfx.components.example_gen.write_split",
    "GenericExecutor": "tfx.components.trainer.executor:GenericExecutor",
    "pusher_component": "tfx.components.pusher.component",
    "pusher_executor": "tfx.components.pusher.executor",
    "tuner_component": "tfx.components.tuner.component",
    "tuner_executor": "tfx.components.tuner.executor",
    "TunerFnResult": "tfx.components.tuner.component:TunerFnResult",
    "StatsOptions": "tensorflow_data_validation:StatsOptions",
    "StatisticsGen": "tfx.components.statistics_gen.component:StatisticsGen",
    "transform_component": "tfx.components.transform.component",
    # Their protocol buffers.
    "example_gen_pb2": "tfx.proto.example_gen_pb2",
    "execution_result_pb2": "tfx.proto.orchestration.execution_result_pb2",
    "pipeline_pb2": "tfx.proto.orchestration.pipeline_pb2",
    "pusher_pb2": "tfx.proto.pusher_pb2",
    "range_config_pb2": "tfx.proto.range_config_pb2",
    "trainer_pb2": "tfx.proto.trainer_pb2",
    # Files of any file system, and JSON as TFX writes it.
    "fileio": "tfx.dsl.io.fileio",
    "io_utils": "tfx.utils.io_utils",
    "json_utils": "tfx.utils.json_utils",
    "path_utils": "tfx.utils.path_utils",
    "proto_utils": "tfx.utils.proto_utils",
    "udf_utils": "tfx.components.util.udf_utils",
    # To run a pipeline on this machine.
    "Compiler": "tfx.dsl.compiler.compiler:Compiler",
    "LocalDagRunner": "tfx.orchestration.local.local_dag_runner:LocalDagRunner",
    "extract_local_deployment_config": (
        "tfx.orchestration.local.runner_utils:extract_local_deployment_config"
    ),
    "metadata": "tfx.orchestration.metadata",
    "substitute_runtime_parameter": (
        "tfx.orchestration.portable.runtime_parameter_utils:substitute_runtime_parameter"
    ),
    # Kubeflow and Vertex.
    "kubeflow_v2_dag_runner": "tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner",
    "kubeflow_v2_run_executor": (
        "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"
    ),
    "vertex_training_clients": "tfx.extensions.google_cloud_ai_platform.training_clients",
}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    """Imports a name when it is first asked for.

    Raises:
      AttributeError: it is none of ours.
    """
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _NAMES[name].partition(":")
    value: Any = importlib.import_module(module)
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
