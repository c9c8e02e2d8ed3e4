"""What a warm start may take over from, in each form that it may have."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.saved_models import write_saved_model
from trainer_module.errors import InputError
from trainer_module.evaluation import base_model

WANTED = {b"sea", b"ship"}
# Of three tokens; nobody wants the last.
ROWS = [("sea", (1.0, -0.5)), ("ship", (0.25, 3.0)), ("whale", (7.0, 7.0))]
TEXT = "".join(f"{token} {x} {y}\n" for token, (x, y) in ROWS).encode()
BINARY = b"".join(f"{token} ".encode() + struct.pack("<2f", *row) for token, row in ROWS)


@pytest.mark.parametrize("content", [TEXT, b"3 2\n" + TEXT, b"3 2\n" + BINARY])
@pytest.mark.parametrize("in_folder", [False, True])
def test_of_a_file_of_vectors_those_that_are_wanted_are_read(
    tmp_path: Path, content: bytes, in_folder: bool
) -> None:
    (tmp_path / "vectors.bin").write_bytes(content)  # the content tells the format, not the name
    found = base_model.read(str(tmp_path if in_folder else tmp_path / "vectors.bin"), WANTED)
    assert found.tokens == [b"sea", b"ship"]
    assert found.target_table.dtype == np.float32
    assert found.target_table.tolist() == [[1.0, -0.5], [0.25, 3.0]]
    assert (found.num_tokens, found.saved) == (3, None)


def test_of_a_token_that_stands_twice_the_first_vector_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("sea 1 2\nsea 3 4\n")
    assert base_model.read(str(path), WANTED).target_table.tolist() == [[1.0, 2.0]]


def test_where_nothing_is_wanted_the_dimension_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("whale 1 2\n")
    assert base_model.read(str(path), WANTED).target_table.shape == (0, 2)


def test_of_a_saved_model_all_is_there(tmp_path: Path) -> None:
    folder = write_saved_model(
        tmp_path / "model",
        {"whale": 3, "sea": 2},
        [[1, 2], [3, 4]],
        [[5, 6], [7, 8]],
        [0.5, 0.25],
    )
    found = base_model.read(folder, WANTED)
    assert found.tokens == [b"whale", b"sea"]
    assert found.target_table.tolist() == [[1, 2], [3, 4]]
    assert found.num_tokens == 2
    assert found.saved is not None
    assert found.saved.context_biases.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing", None, r"there is no .*missing to take over from: name vectors in word2vec"),
        ("text.gz", b"\x1f\x8b\x08\x00\x00", r"text\.gz is not in word2vec's text or binary"),
        ("cut.bin", b"3 2\n" + BINARY[:-1], r"cut\.bin ends after 2 of 3 vectors"),
        ("cut.txt", b"3 2\nsea 1 2\n", r"cut\.txt has 1 vectors, not 3"),
        ("glove.txt", b"sea 1 2\nship 1 x\n", r"line 2, holds what is no number"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        base_model.read(str(tmp_path / name), WANTED)
    assert "\n" not in str(caught.value)


def test_a_saved_model_of_others_is_refused(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path / "model"))
    with pytest.raises(InputError, match=r"SavedModel .*; set trainer\.warm_start=none to begin"):
        base_model.read(str(tmp_path / "model"), WANTED)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds nothing to take over from: name vectors in"):
        base_model.read(str(tmp_path), WANTED)
