"""TFX's Tuner, which writes down all that is known of its trials."""

import os
from typing import Any

from components import cores
from components.hyperparameter_tuner.records import SEARCH_FILE
from components.tfx_api import (
    ExecutorClassSpec,
    artifact_utils,
    io_utils,
    standard_component_specs,
    tuner_component,
    tuner_executor,
)

# Dotted: the module imports KerasTuner, which takes seconds and is for the component's process.
TUNER_FN = "components.hyperparameter_tuner.tuner.tuner_fn"


class Executor(tuner_executor.Executor):
    """TFX's, with records.SEARCH_FILE beside what it writes to tuner_results."""

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches; see tuner.tuner_fn.

        Args:
          input_dict, output_dict: artifacts by key.
          exec_properties: TFX's, of which `tuner_fn` is TUNER_FN.
        """
        cores.take()  # before TensorFlow counts them
        tuner = tuner_executor.search(
            input_dict, exec_properties, self._get_tmp_dir(), print_tuning_summary=False
        )
        tuner_executor.write_best_hyperparameters(tuner, output_dict)
        results = output_dict[standard_component_specs.TUNER_RESULTS_KEY]
        path = os.path.join(artifact_utils.get_single_uri(results), SEARCH_FILE)
        io_utils.write_string_file(path, tuner.trials.search().to_json())


class Tuner(tuner_component.Tuner):
    """TFX's; see Executor."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)
