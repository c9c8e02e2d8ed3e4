"""`skipgram neighbors`, `contexts` and `analogy`: several words, standard input, formats."""

import io
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from click.testing import CliRunner, Result

from pipeline.cli import cli
from tests.saved_models import write_saved_model
from trainer_module.errors import InputError

COMMAND = Path(sys.executable).with_name("skipgram")
PLANE = {"east": (1, 0), "northeast": (3, 4), "eastnortheast": (4, 3), "north": (0, 2)}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves of four words in a plane, each beside `north` half of the time."""
    output = tmp_path_factory.mktemp("output")
    records = [name.encode() + struct.pack("<c2f", b" ", *at) for name, at in PLANE.items()]
    (output / "vectors").mkdir()
    (output / "vectors" / "vectors.bin").write_bytes(b"4 2\n" + b"".join(records))
    biases = np.log([0.125, 0.125, 0.25, 0.5])
    for version in ("9", "10"):
        write_saved_model(
            output / "serving" / version,
            dict.fromkeys(PLANE, 1),
            list(PLANE.values()),
            context_biases=biases if version == "10" else np.zeros(4),
        )
    return output


def skipgram(output: Path, *words: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(cli, [*words, "--output", str(output)], input=stdin)


class TestJson:
    def test_of_neighbors(self, output: Path) -> None:
        done = skipgram(output, "neighbors", "east", "North", "-k", "1", "--format", "json")
        assert (done.exit_code, done.stderr) == (0, "")
        assert json.loads(done.stdout) == [
            {"word": "east", "neighbors": [{"token": "eastnortheast", "cosine": 0.8}]},
            {"word": "North", "neighbors": [{"token": "northeast", "cosine": 0.8}]},
        ]

    def test_of_contexts_of_the_version_that_is_served(self, output: Path) -> None:
        done = skipgram(output, "contexts", "east", "-k", "3", "--format", "json")
        found = [("north", 0.5), ("eastnortheast", 0.25), ("east", 0.125)]
        assert json.loads(done.stdout) == [
            {
                "word": "east",
                "contexts": [{"token": token, "probability": share} for token, share in found],
            }
        ]

    def test_of_an_analogy(self, output: Path) -> None:
        done = skipgram(output, "analogy", "east", "northeast", "north", "--format", "json")
        [answer] = json.loads(done.stdout)
        assert (answer["a"], answer["b"], answer["c"]) == ("east", "northeast", "north")
        # northeast - east + north = (.6 - 1, .8 + 1); with (.8, .6): .76 / sqrt(3.4).
        assert answer["answers"] == [{"token": "eastnortheast", "cosine": 0.412168}]

    def test_of_nothing_is_an_empty_list(self, output: Path) -> None:
        done = skipgram(output, "neighbors", "-", "--format", "json", stdin="\n \n")
        assert (done.exit_code, json.loads(done.stdout)) == (0, [])


class TestTsv:
    def test_pandas_reads_it(self, output: Path) -> None:
        done = skipgram(output, "contexts", "east", "gnu", "-k", "2", "--format", "tsv")
        read = pandas.read_csv(io.StringIO(done.stdout), sep="\t", keep_default_na=False)
        assert read.to_numpy().tolist() == [
            ["east", "north", "0.5"],
            ["east", "eastnortheast", "0.25"],
            ["gnu", "", ""],
        ]
        assert list(read) == ["word", "context", "probability"]

    def test_of_analogies(self, output: Path) -> None:
        lines = "east northeast north\neast\tnorth  gnu\n"
        done = skipgram(output, "analogy", "-", "--format", "tsv", stdin=lines)
        assert done.stdout.splitlines() == [
            "a\tb\tc\tanswer\tcosine",
            "east\tnortheast\tnorth\teastnortheast\t0.412168",
            "east\tnorth\tgnu\t\t",
        ]

    def test_what_would_cut_a_line_is_written_out(self, output: Path) -> None:
        done = skipgram(output, "neighbors", "a\tb\nc", "east", "-k", "1", "--format", "tsv")
        assert done.stdout.splitlines()[1] == "a\\tb\\nc\t\t"


class TestUnknownWords:
    def test_beside_known_ones_are_told(self, output: Path) -> None:
        done = skipgram(output, "neighbors", "gnu", "east", "-k", "1", "--format", "json")
        unknown, known = json.loads(done.stdout)
        assert unknown == {
            "word": "gnu",
            "neighbors": [],
            "error": "'gnu' is no token of the vocabulary",
        }
        assert known["neighbors"][0]["token"] == "eastnortheast"
        assert done.stderr == "skipgram: 1 of 2 have no answer: a word is unknown\n"
        assert done.exit_code == 0

    def test_in_a_table(self, output: Path) -> None:
        done = skipgram(output, "neighbors", "gnu", "east", "-k", "1")
        assert done.stdout.splitlines()[0] == "'gnu' is no token of the vocabulary"
        assert "eastnortheast │ 0.800" in done.stdout

    def test_alone_are_no_answer(self, output: Path) -> None:
        done = skipgram(output, "contexts", "-", stdin="gnu\nemu\n")
        assert done.stdout.count("is no token of the vocabulary") == 2
        assert done.stderr == "skipgram: 2 of 2 have no answer: a word is unknown\n"
        assert done.exit_code == 1

    @pytest.mark.parametrize(
        "words", [["neighbors", "gnu"], ["contexts", "gnu"], ["analogy", "east", "gnu", "north"]]
    )
    def test_one_is_an_error_that_names_the_nearest(self, output: Path, words: list[str]) -> None:
        done = skipgram(output, *words, "--format", "json")
        assert (done.exit_code, done.stdout) == (1, "")
        assert isinstance(done.exception, InputError)
        assert str(done.exception).startswith("'gnu' is no token of the vocabulary; the nearest is")


class TestStandardInput:
    def test_stands_where_a_word_may(self, output: Path) -> None:
        lines = "  north\t\r\n\nEAST\n"
        done = skipgram(output, "neighbors", "east", "-", "-k", "1", "--format", "tsv", stdin=lines)
        assert [line.split("\t")[0] for line in done.stdout.splitlines()[1:]] == [
            "east",
            "north",
            "EAST",
        ]

    def test_is_utf8_and_what_is_not_is_unknown(self, output: Path) -> None:
        lines = "gr\u00f6\u00dfe\n".encode() + b"\xff\neast\n"
        done = skipgram(output, "neighbors", "-", "-k", "1", "--format", "json", stdin=lines)
        assert [answer["word"] for answer in json.loads(done.stdout)] == [
            "gr\u00f6\u00dfe",
            "\ufffd",
            "east",
        ]

    @pytest.mark.parametrize("line", ["east north", "a b c d", ": capital-common-countries"])
    def test_of_an_analogy_has_three_words_a_line(self, output: Path, line: str) -> None:
        done = skipgram(output, "analogy", "-", stdin=f"east northeast north\n{line}\n")
        assert isinstance(done.exception, InputError)
        assert f"three words a line, A B C; {line!r} has " in str(done.exception)


def test_each_word_is_answered_before_the_next_is_read(output: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "neighbors", "-", "-k", "1", "--format", "tsv", "--output", output],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "word\tneighbor\tcosine\n"
        for word in ("east", "north"):
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(f"{word}\t")
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0


def test_a_reader_that_goes_away_ends_it(output: Path) -> None:
    words = "east\n" * 20_000
    ended = subprocess.run(
        ["bash", "-c", f"{COMMAND} neighbors - --format tsv --output {output} | head -n 2"],
        input=words,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(ended.stdout.splitlines()) == 2
    assert "Traceback" not in ended.stderr


def test_a_table_in_a_pipe_breaks_no_word(output: Path, tmp_path: Path) -> None:
    long = "x" * 200
    (tmp_path / "vectors").mkdir()
    records = [name + struct.pack("<c2f", b" ", 1, 0) for name in (b"east", long.encode())]
    (tmp_path / "vectors" / "vectors.bin").write_bytes(b"2 2\n" + b"".join(records))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    ended = subprocess.run(
        [COMMAND, "neighbors", "east", "--output", tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"│ {long} │ 1.000  │" in ended.stdout


def test_without_a_served_model_contexts_says_so(tmp_path: Path) -> None:
    done = skipgram(tmp_path, "contexts", "east")
    assert str(done.exception).startswith(f"there is no model in {tmp_path}/serving: run `skipgram")
