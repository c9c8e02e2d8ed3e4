"""docs/serving.md stays true: its code and its requests, on the model of a run."""

import base64
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
# Words of the quick start, and those that stand for them in the tests' corpus.
WORDS = {"list": "cat", "dict": "dog", "functions": "red"}


def of_this_corpus(text: str) -> str:
    for word, other in WORDS.items():
        text = re.sub(rf"\b{word}\b", other, text)
    return text


@pytest.fixture(scope="module")
def model(run) -> str:
    [model] = (run.output / "serving").iterdir()
    return str(model)


def answer(model: str, body: dict[str, Any]) -> dict[str, np.ndarray]:
    """What a request to TensorFlow Serving's REST API gives, by its rules for JSON."""
    signature = tf.saved_model.load(model).signatures[body.get("signature_name", "serving_default")]
    inputs = body.get("inputs")
    if inputs is None:
        inputs = {name: [row[name] for row in body["instances"]] for name in body["instances"][0]}
    specs = signature.structured_input_signature[1]
    assert set(inputs) == set(specs)
    return {
        name: values.numpy()
        for name, values in signature(
            **{
                name: tf.constant(_decoded(given), specs[name].dtype)
                for name, given in inputs.items()
            }
        ).items()
    }


def _decoded(given: Any) -> Any:
    if isinstance(given, list):
        return [_decoded(one) for one in given]
    return base64.b64decode(given["b64"]) if isinstance(given, dict) else given


def test_its_code(run, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(run.output.parent)
    shown: dict[str, Any] = {}
    # After each paragraph, what it has found.
    found = []
    for paragraph in of_this_corpus(code).split("\n\n"):
        exec(paragraph, shown)
        found.append({name: value.numpy() for name, value in shown.get("found", {}).items()})
    vectors, neighbors, contexts, figures = found[-4:]
    assert vectors["known"].tolist() == [True, True, False]
    assert vectors["vectors"].shape == (3, 16)
    for answers, others in ((neighbors, "cosines"), (contexts, "probabilities")):
        [words] = [value for name, value in answers.items() if name != others]
        assert words.shape == answers[others].shape == (3, 3)
        assert [all(row) for row in words.tolist()] == [True, True, False]
    assert figures["num_pairs"].shape == (2,)


def test_its_requests(model: str) -> None:
    bodies = [json.loads(of_this_corpus(body)) for body in re.findall(r"curl -d '(.*)'", PAGE)]
    answers = {body.get("signature_name"): answer(model, body) for body in bodies}
    assert set(answers) == {None, "neighbors", "contexts", "evaluate_text", "evaluate"}
    assert answers[None]["known"].tolist() == [True, False]
    assert answers["neighbors"]["neighbors"].shape == (1, 3)
    assert answers["contexts"]["contexts"].shape == (2, 3)  # of two instances
    [of_text, of_example] = [answers[name]["num_pairs"] for name in ("evaluate_text", "evaluate")]
    assert of_text.shape == of_example.shape == (1,)


def test_its_example_is_the_document_that_it_sends_as_text() -> None:
    [encoded] = re.findall(r'"b64": "(.*?)"', PAGE)
    example = tf.train.Example.FromString(base64.b64decode(encoded))
    [document] = example.features.feature["text"].bytes_list.value
    assert f'"documents": ["{document.decode()}"]' in PAGE


def test_its_command_without_a_server(model: str) -> None:
    [command] = re.findall(r"^saved_model_cli run .* contexts .*", PAGE, re.MULTILINE)
    program, *words = shlex.split(of_this_corpus(command).replace("$model", model))
    ended = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"key contexts:\n\[\[b'\w+' b'\w+' b'\w+'\]\n \[b'' b'' b''\]\]", ended.stdout)
    assert "Result for output key probabilities:\n[[0." in ended.stdout
