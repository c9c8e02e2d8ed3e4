import contextlib
import datetime
import errno
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from pipeline import cli, config, config_file, failures
from pipeline.corpus.dates import Corpus
from pipeline.failures import ComponentFailedError
from pipeline.local import run_command
from pipeline.local.output_folder import OutputFolder
from trainer_module.errors import InputError

COMMAND = Path(sys.executable).with_name("skipgram")
HEAVY = ["tensorflow", "tfx", "apache_beam", "ml_metadata", "tensorflow_transform", "pandas"]


def skipgram(*words: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the installed command in `folder`."""
    return subprocess.run(
        [COMMAND, *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence that the command said."""
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("skipgram: ")
    return line.removeprefix("skipgram: ")


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """An output folder with four words in a plane: lengths 1, 5, 5 and 2."""
    words = [("east", 1, 0), ("northeast", 3, 4), ("eastnortheast", 4, 3), ("[north]", 0, 2)]
    records = [name.encode() + b" " + struct.pack("<2f", x, y) + b"\n" for name, x, y in words]
    path = tmp_path / "output" / "vectors" / "vectors.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"4 2\n" + b"".join(records))
    return tmp_path


def table(text: str) -> list[list[str]]:
    """The rows of printed tables below their headers."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]


class TestHelp:
    def test_names_the_commands_and_the_exit_codes(self, tmp_path):
        done = skipgram("--help", folder=tmp_path)
        assert done.returncode == 0
        words = (
            "run",
            "neighbors",
            "contexts",
            "analogy",
            "runs",
            "report",
            "compare",
            "bless",
            "prune",
            "0 all is well",
            "3 the model",
        )
        for word in words:
            assert word in done.stdout

    def test_of_run_lists_every_field_of_the_configuration(self, tmp_path):
        done = skipgram("run", "--help", folder=tmp_path)
        lines = [line.strip() for line in done.stdout.splitlines()]
        assert {name for name, *_ in config.fields()} <= {line.split(" = ")[0] for line in lines}
        for line in ("trainer.dim = 100", "corpus.files = (none)", "trainer.patience = (none)"):
            assert line in lines

    def test_of_run_lists_what_objectives_have_of_their_own(self, tmp_path):
        words = " ".join(skipgram("run", "--help", folder=tmp_path).stdout.split())
        assert "sampled_softmax: remove_accidental_hits = True" in words
        assert "negative_sampling: sampler = unigram, replacement = True" in words

    def test_version(self, tmp_path):
        assert "0.2.0" in skipgram("--version", folder=tmp_path).stdout


class TestWrongCommands:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (
                ["--set", "trainer.epoch=3"],
                "trainer.epoch is no field of the configuration; the nearest is trainer.epochs",
            ),
            (
                ["--set", "trainer.dim=0"],
                "trainer.dim = 0 is not allowed: Input should be greater than or equal to 1 "
                "(numbers per vector (word2vec's default))",
            ),
            (
                ["--config", "none.yaml"],
                "cannot read the configuration none.yaml: No such file or directory",
            ),
        ],
    )
    def test_of_the_configuration(self, tmp_path, words, said):
        done = skipgram("run", *words, folder=tmp_path)
        assert (done.returncode, complaint(done)) == (2, said)
        assert list(tmp_path.iterdir()) == []

    def test_of_the_configuration_come_all_at_once(self, tmp_path):
        done = skipgram("run", "--set", "seed", "--set", "trainer.epoch=3", folder=tmp_path)
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            "skipgram: the configuration has 2 errors:",
            "  --set takes section.field=value, not 'seed'",
            "  trainer.epoch is no field of the configuration; the nearest is trainer.epochs",
        ]

    def test_a_path_may_begin_at_home_where_no_shell_has_said_so(self, run, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "c.yaml").write_text("seed: 7\nmetadata: {type: mysql, socket: ~/s}\n")
        monkeypatch.setenv("MYSQL_PWD", "secret")
        seen: list[Any] = []

        def pipeline(settings: config.Config, _: object, folder: OutputFolder, *__: object) -> Any:
            seen.extend([settings, folder])
            return SimpleNamespace(run="monday", why_not_blessed=None, is_unchanged=False)

        assert run(pipeline, "--config", "~/c.yaml", "--output=~/books").code == 0
        assert (seen[0].seed, seen[0].metadata.socket) == (7, f"{tmp_path}/s")
        assert seen[1].root == tmp_path / "books"

    def test_a_uri_is_no_path_of_this_machine(self, run):
        ended = run(failing(AssertionError()), "--output", "gs://bucket/output")
        assert ended.code == 2
        assert "gs://bucket/output is a URI; this takes a path on this machine" in ended.err

    def test_a_folder_that_components_cannot_use_is_a_wrong_command(self, tmp_path):
        (tmp_path / "a.txt").write_text("some words\n")
        done = skipgram("run", "--corpus", "a.txt", "--output", "a[b]", folder=tmp_path)
        assert done.returncode == 2
        assert complaint(done).startswith(f"the path '{tmp_path}/a[b]' contains a bracket, which ")
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]

    @pytest.mark.parametrize("corpus", ["none.txt", "none/*.txt", "*.jsonl"])
    def test_of_the_corpus(self, tmp_path, corpus):
        done = skipgram("run", "--corpus", corpus, folder=tmp_path)
        assert done.returncode == 2
        assert str(tmp_path / corpus) in complaint(done)
        assert list(tmp_path.iterdir()) == []

    def test_of_the_corpus_in_a_file(self, tmp_path):
        (tmp_path / "c.yaml").write_text("corpus:\n  files: [none.txt]\n")
        done = skipgram("run", "--config", "c.yaml", folder=tmp_path)
        assert done.returncode == 2
        assert "none.txt" in complaint(done)

    def test_of_a_date(self, tmp_path):
        (tmp_path / "a.txt").write_text("some words\n")
        done = skipgram("run", "--corpus", "a.txt", "--date", "2026-11-24", folder=tmp_path)
        assert done.returncode == 2
        assert complaint(done).startswith("--date 2026-11-24 is for a corpus with dates, and no ")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["train"], "No such command 'train'"),
            (["run", "--date", "24.11.2026"], "'24.11.2026' does not match the format"),
            (["run", "--epochs", "3"], "No such option"),
            (["run", "books.txt"], "what is 'books.txt'? Name files with --corpus"),
            (["neighbors"], "Missing argument"),
            (["neighbors", "x", "-k", "0"], "0 is not in the range"),
            (["analogy", "a", "b"], "an analogy takes three words, A B C; here are 2"),
            (["contexts", "x", "--format", "xml"], "'xml' is not one of"),
        ],
    )
    def test_of_form(self, tmp_path, words, said):
        done = skipgram(*words, folder=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


class TestFailedCommands:
    @pytest.mark.parametrize("words", [["neighbors", "x"], ["analogy", "a", "b", "c"]])
    def test_without_vectors(self, tmp_path, words):
        done = skipgram(*words, "--output", "books", folder=tmp_path)
        assert done.returncode == 1
        assert complaint(done).startswith(f"there are no vectors in {tmp_path}/books/vectors: run")
        assert list(tmp_path.iterdir()) == []

    def test_without_a_metadata_store(self, tmp_path):
        done = skipgram("runs", folder=tmp_path)
        assert done.returncode == 1
        assert complaint(done).startswith(f"there is no metadata store in {tmp_path}/output: run")
        assert list(tmp_path.iterdir()) == []

    def test_of_an_unknown_word(self, vectors):
        done = skipgram("neighbors", "nordeast", folder=vectors)
        assert done.returncode == 1
        assert complaint(done) == (
            "'nordeast' is no token of the vocabulary; the nearest is northeast"
        )

    def test_of_what_steers_a_terminal(self, vectors):
        (vectors / "c.yaml").write_text('"se\\eed": 1\n')
        for words in (["neighbors", "\x1b[2J"], ["run", "--config", "c.yaml"], ["tr\x9bain"]):
            said = skipgram(*words, folder=vectors).stderr
            assert "\\x" in said
            assert not {"\x1b", "\x9b"} & set(said)

    def test_of_vectors_cut_short(self, vectors):
        path = vectors / "output" / "vectors" / "vectors.bin"
        path.write_bytes(path.read_bytes()[:-3])
        done = skipgram("neighbors", "east", folder=vectors)
        assert done.returncode == 1
        assert complaint(done).endswith("vectors.bin ends after 3 of 4 vectors")

    def test_show_a_traceback_when_asked_to(self, tmp_path):
        done = skipgram("--debug", "runs", folder=tmp_path)
        assert done.returncode == 1
        assert "Traceback (most recent call last)" in done.stderr


class TestConfig:
    def test_written_to_the_terminal_loads_as_the_default(self, tmp_path):
        done = skipgram("config", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        (tmp_path / "c.yaml").write_text(done.stdout)
        assert config_file.load(tmp_path / "c.yaml") == config.Config()

    def test_written_to_a_file_is_the_same(self, tmp_path):
        done = skipgram("config", "--output", "c.yaml", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "skipgram run --config c.yaml" in done.stdout
        assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]
        shown = skipgram("config", folder=tmp_path).stdout
        assert (tmp_path / "c.yaml").read_text() == shown

    def test_writes_over_no_file(self, tmp_path):
        (tmp_path / "c.yaml").write_text("seed: 3\n")
        done = skipgram("config", "--output", "c.yaml", folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert complaint(done) == ("c.yaml is there already: name another file, or delete it first")
        assert (tmp_path / "c.yaml").read_text() == "seed: 3\n"

    def test_needs_a_folder_that_is_there(self, tmp_path):
        done = skipgram("config", "--output", "none/c.yaml", folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert complaint(done) == (
            "cannot write none/c.yaml: No such file or directory; name another file with --output"
        )


class TestAnswers:
    def test_neighbors(self, vectors):
        done = skipgram("neighbors", "east", "-k", "2", folder=vectors)
        assert (done.returncode, done.stderr) == (0, "")
        assert table(done.stdout) == [["eastnortheast", "0.800"], ["northeast", "0.600"]]

    def test_neighbors_in_an_encoding_without_their_letters(self, vectors):
        path = vectors / "output" / "vectors" / "vectors.bin"
        path.write_bytes(path.read_bytes().replace(b"[north]", "[n\u00f8rth]".encode()))
        done = skipgram("neighbors", "east", folder=vectors, PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")
        assert "[n\\xf8rth]" in done.stdout

    def test_neighbors_of_several_words(self, vectors):
        done = skipgram("neighbors", "east", "northeast", "-k", "1", folder=vectors)
        assert table(done.stdout) == [["eastnortheast", "0.800"], ["eastnortheast", "0.960"]]

    def test_neighbors_are_ten_or_all_there_are(self, vectors):
        done = skipgram("neighbors", "east", folder=vectors)
        assert table(done.stdout)[2:] == [["[north]", "0.000"]]

    def test_analogy(self, vectors):
        # northeast - east + [north] = (.6 - 1, .8 + 1); with (.8, .6): .76 / sqrt(3.4).
        done = skipgram("analogy", "east", "northeast", "[north]", folder=vectors)
        assert (done.returncode, done.stderr) == (0, "")
        assert table(done.stdout) == [["eastnortheast", "0.412"]]

    def test_runs(self, tmp_path):
        from pipeline.local import metadata_store

        (tmp_path / "books").mkdir()
        location = metadata_store.store_location(
            config.MetadataConfig(), OutputFolder(tmp_path / "books")
        )
        store = metadata_store.open_store(location.connection)
        metadata_store.begin_run(store, location.pipeline_name, "1", "a.txt")
        metadata_store.end_run(
            store,
            "1",
            "blessed",
            {"objective": "nce", "full_softmax_cross_entropy": 7.5, "unigram_cross_entropy": 8.25},
        )
        metadata_store.begin_run(store, location.pipeline_name, "2", "b.txt")
        done = skipgram("runs", "--output", "books", folder=tmp_path)
        assert done.returncode == 0
        year = f"{datetime.datetime.now():%Y-}"
        rows = [line.split() for line in done.stdout.splitlines() if ".txt" in line]
        assert rows == [
            ["2", "b.txt", "unfinished"],
            ["1", "a.txt", "nce", "7.5000", "8.2500", "blessed"],
        ]
        done = skipgram("runs", "--output", "books", "--format", "json", folder=tmp_path)
        second, first = json.loads(done.stdout)
        assert second.pop("started").startswith(year)
        assert second == {
            "run": "2",
            "corpus_files": "b.txt",
            "status": "unfinished",
            "served": False,
            "blessings": [],
        }
        assert first["full_softmax_cross_entropy"] == 7.5


class TestNothingHeavyIsImported:
    @pytest.mark.parametrize(
        ("code", "words"),
        [
            (0, ["--help"]),
            (0, ["run", "--help"]),
            (0, ["config"]),
            (2, ["run", "--set", "trainer.epoch=3"]),
            (2, ["run", "--corpus", "none.txt"]),
            (0, ["neighbors", "east"]),
            (0, ["neighbors", "east", "north", "--format", "json"]),
            (1, ["contexts", "east"]),
            (0, ["analogy", "east", "northeast", "east"]),
            (1, ["runs", "--output", "none"]),
            (1, ["bless", "last", "--reason", "good", "--output", "none"]),
            (1, ["prune", "--keep", "1", "--output", "none"]),
            (1, ["report", "--output", "none"]),
            (1, ["compare", "1", "2", "--output", "none"]),
            (2, ["bless", "last"]),
            (2, ["prune", "--keep", "0"]),
            (2, ["run", "--set", "metadata.type=mysql", "--set", "metadata.host=db"]),
            (2, ["runs", "--set", "metadata.type=mysql", "--set", "metadata.host=db"]),
        ],
    )
    def test_before_it_is_needed(self, vectors, code, words):
        program = (
            "import atexit, sys\n"
            f"heavy = {HEAVY}\n"
            "found = lambda: sorted(name for name in heavy if name in sys.modules)\n"
            "atexit.register(lambda: print('imported:', *found(), flush=True))\n"
            f"sys.argv = ['skipgram', *{words}]\n"
            "from pipeline.cli import main\n"
            "main()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=vectors,
            env={name: value for name, value in os.environ.items() if name != "MYSQL_PWD"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == code
        assert done.stdout.splitlines()[-1] == "imported:"


class Ended(NamedTuple):
    code: int | str
    out: str
    err: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Calls main() as `skipgram run` with a pipeline that does what the test says."""
    monkeypatch.chdir(tmp_path)

    def call(pipeline: Callable[..., Any], *words: str) -> Ended:
        monkeypatch.setattr(run_command, "run", pipeline)
        monkeypatch.setattr(run_command, "show", lambda summary, *_: print(summary.run))
        monkeypatch.setattr(sys, "argv", ["skipgram", "run", *words])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return Ended(caught.value.code or 0, *capsys.readouterr())

    return call


def failing(error: BaseException) -> Callable[..., Any]:
    def pipeline(*_: object) -> Any:
        raise error

    return pipeline


class TestHowARunEnds:
    def test_a_missing_day_is_no_wrong_command_as_it_may_come(self, run, tmp_path):
        words = ["--corpus", "{YYYY}-{MM}-{DD}.txt", "--date", "2026-11-24"]
        ended = run(failing(AssertionError()), *words)
        assert ended.code == 1
        assert ended.err.startswith("skipgram: the corpus has nothing for '2026-11-24' by the patt")
        assert list(tmp_path.iterdir()) == []

    def test_blessed(self, run):
        ended = run(
            lambda *_: SimpleNamespace(run="monday", why_not_blessed=None, is_unchanged=False)
        )
        assert ended == (0, "monday\n", "")

    @pytest.mark.parametrize(
        ("is_unchanged", "words", "code"),
        [
            (True, (), 0),
            (True, ("--exit-code-if-unchanged", "9"), 9),
            (False, ("--exit-code-if-unchanged", "9"), 0),
            (True, ("--exit-code-if-unchanged=0",), 0),
        ],
    )
    def test_nothing_new(self, run, is_unchanged, words, code):
        summary = SimpleNamespace(run="monday", why_not_blessed=None, is_unchanged=is_unchanged)
        assert run(lambda *_: summary, *words) == (code, "monday\n", "")

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("3", "3 says something else already (1 the run failed, 2 the command is wrong, 3 not"),
            ("126", "126 is not in the range 0<=x<=125"),
        ],
    )
    def test_a_code_that_says_something_else_is_refused(self, run, code, said):
        ended = run(failing(AssertionError()), "--exit-code-if-unchanged", code)
        assert ended.code == 2
        assert said in " ".join(ended.err.split())

    def test_not_blessed(self, run):
        summary = SimpleNamespace(run="monday", why_not_blessed="it is too bad")
        assert run(lambda *_: summary) == (3, "monday\n", "skipgram: it is too bad\n")

    def test_a_failed_component_is_named_with_its_sentence_and_its_log(self, run):
        error = ComponentFailedError("Transform", "no token", "Traceback: x", Path("/logs/T.log"))
        ended = run(failing(error))
        assert ended.code == 1
        assert ended.err == "skipgram: Transform failed: no token (log: /logs/T.log)\n"

    def test_a_withheld_run_ends_as_one_whose_model_is_not_blessed(self, run):
        trace = "Traceback: x\ntrainer_module.errors.WithheldError: the run is withheld\n"
        error = ComponentFailedError("CorpusGate", "the run is withheld", trace, Path("/G.log"))
        assert run(failing(error)) == (3, "", "skipgram: the run is withheld\n")

    def test_a_failed_component_shows_its_own_traceback_when_asked_to(self, run):
        error = ComponentFailedError("Transform", "no token", "Traceback: x", Path("/logs/T.log"))
        assert run(failing(error), "--debug").err.endswith("\nTraceback: x\n")

    def test_an_input_error_is_its_sentence(self, run):
        ended = run(failing(InputError("the output folder is in use")))
        assert ended == (1, "", "skipgram: the output folder is in use\n")

    def test_interrupted(self, run):
        ended = run(failing(KeyboardInterrupt()))
        assert ended.code == 130
        assert ended.err.strip().startswith("skipgram: interrupted; the same command goes on")

    @pytest.mark.parametrize("words", [["--output", "books"], ["--output=books"]])
    def test_on_a_full_disk_names_the_folder(self, run, tmp_path, words):
        ended = run(failing(OSError(errno.ENOSPC, "No space left on device")), *words)
        assert ended.code == 1
        assert ended.err.startswith(
            f"skipgram: the disk of the output folder {tmp_path}/books is full ("
        )

    def test_on_a_full_disk_in_a_component(self, run, tmp_path):
        trace = "OSError: [Errno 28] No space left on device"
        error = ComponentFailedError("Trainer", "OSError: x", trace, Path("/logs/T.log"))
        assert run(failing(error)).err.startswith(
            f"skipgram: Trainer failed: the disk of the output folder {tmp_path}/output is full ("
        )

    def test_anything_else_is_one_line(self, run):
        ended = run(failing(ValueError("one\ntwo")))
        assert ended == (1, "", "skipgram: ValueError: one\n")


class TestWhatARunIsGiven:
    def given(self, run: Callable[..., Ended], *words: str) -> tuple[config.Config, Corpus | None]:
        """The configuration and what the corpus is."""
        seen: list[tuple[config.Config, Corpus | None]] = []

        def pipeline(settings: config.Config, corpus: Corpus | None, *_: object) -> SimpleNamespace:
            seen.append((settings, corpus))
            return SimpleNamespace(run="monday", why_not_blessed=None, is_unchanged=False)

        assert run(pipeline, *words).code == 0
        return seen[0]

    def test_files_that_the_shell_has_expanded(self, run, tmp_path):
        for name in ("a.txt", "b.txt", "c.txt"):
            (tmp_path / name).write_text("words\n")
        words = ["--corpus", "a.txt", "b.txt", "--corpus", "c.txt", "--set", "seed=3"]
        settings, corpus = self.given(run, *words)
        assert sorted(settings.corpus.files) == ["a.txt", "b.txt", "c.txt"]
        assert corpus == Corpus([str(tmp_path / name) for name in ("a.txt", "b.txt", "c.txt")])
        assert settings.seed == 3

    def test_the_files_of_a_date(self, run, tmp_path):
        for day in (23, 24):
            (tmp_path / f"2026-11-{day}.txt").write_text("words\n")
        words = ["--corpus", "{YYYY}-{MM}-{DD}.txt", "--set", "corpus.days=2"]
        _, corpus = self.given(run, *words, "--date", "2026-11-24")
        patterns = [f"{tmp_path}/2026-11-{day}.txt" for day in (23, 24)]
        assert corpus == Corpus(patterns, datetime.date(2026, 11, 24))

    def test_nothing_is_the_default(self, run):
        assert self.given(run) == (config.Config(), None)


def open_for_reader(pipe: Path, process: "subprocess.Popen[str]") -> int:
    """Opens a pipe for writing, once the process has opened it for reading."""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    raise AssertionError(f"ended with {process.returncode} before it read the pipe")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupting_the_command_is_one_sentence(tmp_path, number, code):
    """A signal in the middle of reading: the configuration is a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "config.yaml")
    process = subprocess.Popen(
        [COMMAND, "run", "--config", "config.yaml"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    descriptor = open_for_reader(tmp_path / "config.yaml", process)
    process.send_signal(number)
    # A signal just before the read begins is looked at when it ends: the end of the pipe.
    os.close(descriptor)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    [sentence] = said.strip().splitlines()
    assert sentence.startswith("skipgram: interrupted; the same command goes on")


def test_too_little_memory_is_one_sentence(tmp_path):
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 1900000; exec "$0" run', COMMAND],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == failures.RUN_FAILED
    assert done.stdout == ""
    assert done.stderr == (
        "skipgram: `ulimit -v` allows 1.9 GB of memory, and a run needs 3.2 GB before it reads a "
        "word: raise the limit\n"
    )
    assert list(tmp_path.iterdir()) == []


class TestCompile:
    def test_what_is_missing_is_a_wrong_command_at_once(self, tmp_path):
        words = ("compile", "--to", "vertex", "--corpus", "gs://abc/*.txt", "--output", "spec.yaml")
        done = skipgram(*words, folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert complaint(done).startswith("vertex needs deployment.image: set it")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("--output", "s3://bucket"), "--output = 's3://bucket' is in s3://"),
            (("--parameter", "corpus=/data"), "the parameter corpus = '/data' is a path"),
            (("--schedule", "0 0 3 * * *"), "the schedule '0 0 3 * * *' has 6 fields and not 5"),
        ],
    )
    def test_what_no_cluster_can_do_is_said_before_its_client_is_imported(
        self, tmp_path, words, sentence
    ):
        (tmp_path / "spec.yaml").touch()
        done = skipgram("submit", "--to", "kubeflow", "spec.yaml", *words, folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert done.stdout == ""
        assert complaint(done).startswith(sentence)

    def test_a_parameter_is_a_name_and_a_value(self, tmp_path):
        (tmp_path / "spec.yaml").touch()
        done = skipgram("rehearse", "spec.yaml", "--parameter", "epochs", folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert "--parameter takes NAME=VALUE, not 'epochs'" in done.stderr

    def test_where_to_run_is_for_vertex(self, tmp_path):
        (tmp_path / "spec.yaml").touch()
        words = ("submit", "--to", "kubeflow", "spec.yaml", "--label", "team=search")
        done = skipgram(*words, folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert "--label is for vertex" in done.stderr
        words = ("submit", "--to", "vertex", "spec.yaml", "--network", "default")
        done = skipgram(*words, folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert complaint(done).startswith("deployment.network = 'default' is not allowed")

    def test_a_spec_that_is_not_there_and_a_folder_in_use_are_said_at_once(self, tmp_path):
        done = skipgram("rehearse", "spec.yaml", folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert "'spec.yaml' does not exist" in done.stderr
        (tmp_path / "spec.yaml").touch()
        done = skipgram("rehearse", "spec.yaml", "--root", str(tmp_path), folder=tmp_path)
        assert done.returncode == failures.WRONG_COMMAND
        assert complaint(done).startswith("a rehearsal needs an empty folder")
