"""What run_fn refuses before it trains; the rest is seen in tests/end_to_end."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests.trainer_module import transformed
from tests.trainer_module.transformed import Document
from trainer_module import run_fn, vocabulary
from trainer_module.errors import InputError
from trainer_module.input_pipeline.documents import TransformedFiles


def test_a_cluster_among_which_a_step_cannot_be_divided_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = {"worker": [f"host:{port}" for port in range(5)]}
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    config = {"preprocessing": {}, "trainer": {}, "seed": 1, "eval_fraction": 0.05}
    fn_args = SimpleNamespace(custom_config=config, model_run_dir="unused")
    message = (
        "TF_CONFIG names 5 workers: trainer.batch_size = 192 cannot be divided among 5 workers "
        "that synchronise each step: set it to a multiple of 80"
    )
    with pytest.raises(InputError, match=message):
        run_fn.run_fn(fn_args)


_CONFIG = {"seed": 1, "checkpoint_root": "here"}
_VOCABULARY = vocabulary.parse(b"3 the\n2 cat\n")
_DOCUMENTS = [[(0, 1), (1, 2)], [(1, 1)]]


def fingerprint(
    folder: Path,
    train: Sequence[Document] = _DOCUMENTS,
    evaluated: Sequence[Document] = _DOCUMENTS,
    custom_config: Mapping[str, object] = _CONFIG,
    known: vocabulary.Vocabulary = _VOCABULARY,
    contexts: vocabulary.Vocabulary | None = None,
    base: Path | None = None,
) -> str:
    folder.mkdir(exist_ok=True)
    splits = [
        TransformedFiles([transformed.write(folder / name, documents)], transformed.SPEC)
        for name, documents in (("train", train), ("eval", evaluated))
    ]
    fn_args = SimpleNamespace(custom_config=custom_config, base_model=base and str(base))
    return run_fn._fingerprint(fn_args, [known, contexts or known], splits)


def test_checkpoints_belong_to_one_model_on_one_data_set(tmp_path: Path) -> None:
    one = fingerprint(tmp_path)
    elsewhere = {"checkpoint_root": "elsewhere", "run": "20261124030000", "seed": 1}
    assert one == fingerprint(tmp_path, custom_config=elsewhere)
    others = [
        fingerprint(tmp_path, custom_config={**_CONFIG, "seed": 2}),
        fingerprint(tmp_path, [[(1, 1), (0, 2)], [(1, 1)]]),  # of as many bytes
        fingerprint(tmp_path, evaluated=_DOCUMENTS[:1]),
        fingerprint(tmp_path, known=vocabulary.parse(b"3 the\n2 dog\n")),
        fingerprint(tmp_path, known=vocabulary.parse(b"4 the\n2 cat\n")),
        fingerprint(tmp_path, contexts=vocabulary.parse(b"3 the\n2 dog\n")),
        fingerprint(tmp_path, base=tmp_path / "glove.txt"),
    ]
    assert len({one, *others}) == 8


def test_what_was_made_again_elsewhere_is_trained_on_from_the_checkpoint(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "transform_1") == fingerprint(tmp_path / "transform_2")


def test_a_copy_of_the_base_model_is_the_same_base(tmp_path: Path) -> None:
    def written(name: str, value: float) -> Path:
        module = tf.Module()
        module.table = tf.Variable([value])
        tf.saved_model.save(module, str(tmp_path / name))
        return tmp_path / name

    one = written("one", 1.0)
    shutil.copytree(one, tmp_path / "copy")
    found = fingerprint(tmp_path, base=one)
    assert found == fingerprint(tmp_path, base=tmp_path / "copy")
    assert found != fingerprint(tmp_path, base=written("other", 2.0))
