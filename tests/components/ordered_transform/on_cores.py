"""Runs the executor as a component has it: in a process that has nothing but one thread.

`python -m tests.components.ordered_transform.on_cores EXAMPLES OUTPUT CORES...` transforms the same
examples once for each number of cores, into OUTPUT/CORES.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from components import cores
from components.ordered_transform import component
from components.tfx_api import artifact_utils, standard_artifacts
from pipeline.beam_arguments import ON_THIS_MACHINE
from pipeline.config import Config, as_dict
from pipeline.data_nodes import SCHEMA_FILE


def transform(examples: str, output: str, num_cores: int) -> None:
    """Writes `graph` and `examples` into the output folder."""
    cores.usable = lambda: num_cores
    given, schema = standard_artifacts.Examples(), standard_artifacts.Schema()
    given.uri, schema.uri = examples, f"{output}/schema"
    given.split_names = artifact_utils.encode_split_names(["train", "eval"])
    Path(schema.uri).mkdir(parents=True)
    Path(schema.uri, "schema.pbtxt").write_text(SCHEMA_FILE.read_text())
    graph, transformed = standard_artifacts.TransformGraph(), standard_artifacts.Examples()
    graph.uri, transformed.uri = f"{output}/graph", f"{output}/examples"
    preprocessing = as_dict(Config.model_validate({}).preprocessing)
    context = component.Executor.Context(beam_pipeline_args=list(ON_THIS_MACHINE))
    component.Executor(context).Do(
        {"examples": [given], "schema": [schema]},
        {"transform_graph": [graph], "transformed_examples": [transformed]},
        {
            "preprocessing_fn": "trainer_module.preprocessing.preprocessing_fn",
            "custom_config": json.dumps({"preprocessing": preprocessing, "seed": 1}),
        },
    )


def main(examples: str, output: str, *numbers: str) -> None:
    """One after the other, each in a fork."""
    for number in numbers:
        if not (child := os.fork()):
            code = 1
            try:
                transform(examples, f"{output}/{number}", int(number))
                code = 0
            except BaseException:
                traceback.print_exc()
            os._exit(code)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"the executor failed on {number} cores")


if __name__ == "__main__":
    main(*sys.argv[1:])
