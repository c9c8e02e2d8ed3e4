import collections
import doctest
import errno
import shutil
from pathlib import Path

import pytest

from pipeline import failures
from pipeline.beam_arguments import ON_THIS_MACHINE
from trainer_module.errors import InputError, WithheldError

SENTENCE = "the file 'a' [b] is binary (3 zeros): leave it out"


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """The error as it is after `raise error from cause`."""
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_a_run_is_withheld_where_its_component_says_so():
    trace = "trainer_module.errors.{}: the corpus is small\n"
    for name, withheld in (("WithheldError", True), ("InputError", False)):
        error = failures.ComponentFailedError("Gate", "", trace.format(name), Path("/log"))
        assert failures.is_withheld(error) == withheld
        assert not failures.is_unforeseen(error)
        assert failures.sentence_in(trace.format(name)) == "the corpus is small"
    assert failures.sentence_of(WithheldError(SENTENCE)) == SENTENCE
    killed = failures.ComponentFailedError("Gate", "killed", "", Path("/log"))
    assert not failures.is_withheld(killed)


class TestSentenceOf:
    def test_an_input_error_is_its_message(self):
        assert failures.sentence_of(InputError(SENTENCE)) == SENTENCE

    def test_one_that_caused_another_error(self):
        inner = raised(RuntimeError("step"), InputError(SENTENCE))
        assert failures.sentence_of(raised(ValueError("run"), inner)) == SENTENCE

    def test_one_in_whose_handling_another_was_raised(self):
        error = ValueError("while handling")
        error.__context__ = InputError(SENTENCE)
        assert failures.sentence_of(error) == SENTENCE

    def test_the_outermost_of_two(self):
        inner = InputError("a detail")
        assert failures.sentence_of(raised(InputError(SENTENCE), inner)) == SENTENCE

    def test_one_with_the_place_that_beam_adds(self):
        error = InputError(f"{SENTENCE} [while running 'Read/ParDo(_Fn)'] [while running 'X']")
        assert failures.sentence_of(error) == SENTENCE

    def test_one_of_which_beam_kept_the_text(self):
        error = RuntimeError(
            "Traceback (most recent call last):\n"
            '  File "a.py", line 3, in process\n'
            f"trainer_module.errors.InputError: {SENTENCE} [while running 'Read/Map(f)-x']\n"
            "\nThe above exception was the direct cause of ...\n"
        )
        assert failures.sentence_of(error) == SENTENCE

    def test_text_deeper_in_the_chain(self):
        text = RuntimeError(f"InputError: {SENTENCE} [while running 'X']\n")
        assert failures.sentence_of(raised(ValueError("run"), text)) == SENTENCE

    def test_another_class_whose_name_ends_alike_is_none(self):
        assert failures.sentence_of(RuntimeError("FooInputError: x")) == (
            "RuntimeError: FooInputError: x"
        )

    def test_otherwise_the_error_by_its_first_line(self):
        error = raised(ValueError("it broke [while running 'X']\nat a.cc:3\n"), KeyError("deeper"))
        assert failures.sentence_of(error) == "ValueError: it broke"

    def test_a_long_line_is_cut(self):
        assert failures.sentence_of(ValueError("x" * 1000)) == "ValueError: " + "x" * 200

    def test_without_a_message_the_name(self):
        assert failures.sentence_of(MemoryError()) == "MemoryError: "

    def test_what_was_handled_and_put_aside_is_not_what_went_wrong(self):
        error = raised(ValueError("outer"))
        error.__context__, error.__suppress_context__ = InputError(SENTENCE), True
        assert failures.sentence_of(error) == "ValueError: outer"

    def test_errors_that_cause_each_other_come_to_an_end(self):
        one, two = ValueError("one"), ValueError("two")
        one.__cause__, two.__cause__ = two, one
        assert failures.sentence_of(one) == "ValueError: one"

    def test_an_input_error_raised_in_a_beam_pipeline(self):
        import apache_beam as beam

        def refuse(_: int) -> None:
            raise InputError(SENTENCE)

        pipeline = beam.Pipeline(argv=list(ON_THIS_MACHINE))
        _ = pipeline | beam.Create([1]) | "Refuse" >> beam.Map(refuse)
        with pytest.raises(Exception, match="while running 'Refuse'") as caught:
            pipeline.run().wait_until_finish()
        assert failures.sentence_of(caught.value) == SENTENCE


Usage = collections.namedtuple("Usage", "total used free")


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch):
    """Sets how many bytes every disk has free; returns the folders that were asked for."""
    asked: list[Path] = []

    def set_free(number: int) -> list[Path]:
        usage = Usage(10**12, 10**12 - number, number)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage)
        return asked

    set_free(10**9)
    return set_free


@pytest.mark.usefixtures("free")
class TestIsDiskFull:
    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            RuntimeError("OSError: [Errno 28] No space left on device [while running 'Write']"),
            RuntimeError("file.cc:12; No space left on device"),
            RuntimeError("database or disk is full"),
        ],
    )
    def test_errors_that_say_so(self, tmp_path, error):
        assert failures.is_disk_full(error, tmp_path)

    @pytest.mark.parametrize(
        "error", [ValueError("28"), OSError(errno.ENOENT, "No such file"), MemoryError()]
    )
    def test_errors_that_do_not(self, tmp_path, error):
        assert not failures.is_disk_full(error, tmp_path)

    def test_a_component_says_so_in_its_traceback(self, tmp_path):
        log = tmp_path / "Transform.log"
        trace = "Traceback ...\nOSError: [Errno 28] No space left on device\n"
        error = failures.ComponentFailedError("Transform", "it failed", trace, log)
        assert failures.is_disk_full(error, tmp_path)
        error = failures.ComponentFailedError("Transform", "it failed", "Traceback ...", log)
        assert not failures.is_disk_full(error, tmp_path)

    def test_an_error_that_says_what_else_it_is_does_not(self, tmp_path, free):
        free(0)
        assert not failures.is_disk_full(OSError(errno.EACCES, "Permission denied"), tmp_path)
        refused = raised(InputError("cannot write"), OSError(errno.EROFS, "Read-only file system"))
        assert not failures.is_disk_full(refused, tmp_path)
        assert not failures.is_disk_full(InputError("no such word"), tmp_path)
        full = raised(InputError("cannot write"), OSError(errno.ENOSPC, "No space left on device"))
        assert failures.is_disk_full(full, tmp_path)

    def test_what_has_no_bytes_at_all_is_no_disk(self, tmp_path, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 0))
        assert not failures.is_disk_full(ValueError("x"), tmp_path)

    def test_any_error_on_a_disk_with_nearly_nothing_free(self, tmp_path, free):
        free(1_000_000)
        assert failures.is_disk_full(ValueError("short read"), tmp_path)

    def test_asks_for_the_disk_that_a_folder_would_be_made_on(self, tmp_path, free):
        asked = free(1_000_000)
        assert failures.is_disk_full(ValueError("x"), tmp_path / "not" / "yet")
        assert asked == [tmp_path]


def test_disk_full_sentence(tmp_path, free):
    free(2_500_000)
    folder = tmp_path / "output"
    assert failures.disk_full_sentence(folder) == (
        f"the disk of the output folder {folder} is full (2.5 MB free): free some space or choose "
        "another with --output, then give the same command again"
    )


def test_a_failed_component_is_shown_by_its_sentence(tmp_path):
    error = failures.ComponentFailedError("Trainer", "no pairs", "trace", tmp_path / "log")
    assert str(error) == "no pairs"
    assert error.component == "Trainer"


class TestUnknownName:
    def test_says_the_nearest(self):
        assert failures.unknown_name("colour", "bleu", ["red", "blue"]) == (
            "bleu is no colour; the nearest is blue"
        )

    def test_shows_what_names_are_made_of(self):
        assert failures.unknown_name("token", "\x1b[2J", ["\u202eabc"]) == (
            r"\x1b[2J is no token; the nearest is \u202eabc"
        )

    def test_names_no_nearest_where_nothing_is_known(self):
        assert failures.unknown_name("colour", "bleu", []) == "bleu is no colour"

    def test_its_example_runs(self):
        found = doctest.testmod(failures)
        assert found.attempted
        assert not found.failed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@host:80/a", "https://host:80/a"),
        ("'https://token@host'", "'https://host'"),
        ("http://me:p@ss:w@host", "http://host"),
        ("two: http://a:b@c, and http://d:e@f", "two: http://c, and http://f"),
        ("http://h/?access_token=s&page=2", "http://h/?access_token=...&page=2"),
        ("(http://h/?a=1&X-Goog-Signature=s)", "(http://h/?a=1&X-Goog-Signature=...)"),
        ("http://h/?API_KEY=s#there", "http://h/?API_KEY=...#there"),
        ("gs://bucket/me@here.txt", "gs://bucket/me@here.txt"),
        ("mail me@here; key = 3; a?b", "mail me@here; key = 3; a?b"),
    ],
)
def test_credentials_are_left_out_of_what_is_said(text: str, shown: str) -> None:
    assert failures.without_credentials(text) == shown


class TestMemory:
    def component(self, trace: str) -> failures.ComponentFailedError:
        return failures.ComponentFailedError("Trainer", "x", trace, Path("/logs/T.log"))

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            OSError(errno.ENOMEM, "Cannot allocate memory"),
            ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
            RuntimeError("std::bad_alloc"),
        ],
    )
    def test_that_ran_out_is_said_with_the_way_out(self, error, tmp_path):
        assert failures.explain(error, tmp_path) == (
            "memory ran out: give it more, or give the run less to do by a higher "
            "preprocessing.min_count or a lower trainer.dim"
        )

    @pytest.mark.parametrize(
        "line",
        [
            "pyarrow.lib.ArrowMemoryError: malloc of size 192 failed",
            "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7 GiB: MemoryError",
            "ResourceExhaustedError: OOM when allocating tensor with shape[9,9]",
        ],
    )
    def test_that_ran_out_in_a_component(self, line, tmp_path, monkeypatch):
        monkeypatch.setattr(failures, "memory_limit", lambda: 2_500_000_000)
        said = failures.explain(self.component(f"Traceback:\n{line}\n"), tmp_path)
        assert said.startswith("memory ran out (`ulimit -v` allows 2.5 GB): give it more")

    def test_threads_that_cannot_be_started_have_two_limits(self, tmp_path):
        error = self.component("RuntimeError: can't start new thread")
        assert failures.explain(error, tmp_path) == (
            "no more threads could be started: raise `ulimit -v` or `ulimit -u`"
        )

    def test_a_sentence_of_ours_that_speaks_of_memory_stays(self, tmp_path):
        error = InputError("out of memory is a document's word: leave it out")
        assert failures.explain(error, tmp_path) == str(error)
        trace = f"MemoryError\n{failures.InputError.__name__}: {error}"
        assert failures.explain(self.component(trace), tmp_path) == "x"

    def test_a_limit_below_what_imports_take_is_refused(self, monkeypatch):
        monkeypatch.setattr(failures, "memory_limit", lambda: 1_900_000_000)
        with pytest.raises(InputError, match=r"allows 1\.9 GB of memory, and a run needs 3\.2 GB"):
            failures.require_memory()
        for enough in (4_000_000_000, None):
            monkeypatch.setattr(failures, "memory_limit", lambda enough=enough: enough)
            failures.require_memory()
