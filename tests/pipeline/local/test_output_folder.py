import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.failures import WrongCommandError
from pipeline.local.output_folder import OutputFolder
from trainer_module.errors import InputError

_HOLDER = """
import sys
from pathlib import Path
from pipeline.local.output_folder import OutputFolder
with OutputFolder(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield process
        finally:
            process.kill()


class TestPaths:
    def test_lie_below_the_output_folder(self, tmp_path):
        folder = OutputFolder(tmp_path / "books")
        assert folder.summary == tmp_path / "books" / "summary.json"
        assert folder.metadata == tmp_path / "books" / "metadata.sqlite"
        assert folder.vectors == tmp_path / "books" / "vectors"

    def test_are_absolute_so_that_a_change_of_folder_does_not_move_them(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        assert OutputFolder(Path("books")).serving == tmp_path / "books" / "serving"

    def test_begin_at_home_where_no_shell_has_said_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        assert OutputFolder(Path("~/books")).root == tmp_path / "books"

    def test_naming_them_makes_nothing(self, tmp_path):
        OutputFolder(tmp_path / "books")
        assert list(tmp_path.iterdir()) == []


class TestLock:
    def test_makes_the_folder(self, tmp_path):
        with OutputFolder(tmp_path / "a" / "b").locked():
            assert (tmp_path / "a" / "b").is_dir()

    def test_held_by_another_process_names_that_process(self, tmp_path):
        with (
            holder(tmp_path) as process,
            pytest.raises(InputError) as caught,
            OutputFolder(tmp_path).locked(),
        ):
            pass
        assert str(caught.value) == (
            f"the output folder {tmp_path} is in use by another run (process {process.pid}): "
            "wait for it, or choose another with --output"
        )

    def test_is_free_after_the_other_process_ended(self, tmp_path):
        with holder(tmp_path) as process:
            process.communicate("")
        with OutputFolder(tmp_path).locked():
            assert (tmp_path / ".lock").read_text() == str(os.getpid())

    def test_is_free_after_the_other_process_was_killed(self, tmp_path):
        with holder(tmp_path) as process:
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -9
        with OutputFolder(tmp_path).locked():
            assert (tmp_path / ".lock").read_text() == str(os.getpid())

    def test_is_free_after_a_failure(self, tmp_path):
        with pytest.raises(KeyError), OutputFolder(tmp_path).locked():
            raise KeyError
        with OutputFolder(tmp_path).locked():
            pass

    def test_of_another_folder_is_another_lock(self, tmp_path):
        with OutputFolder(tmp_path / "a").locked(), OutputFolder(tmp_path / "b").locked():
            assert (tmp_path / "b").is_dir()

    @pytest.mark.parametrize(
        ("below", "reason"), [("", "File exists"), ("/folder", "Not a directory")]
    )
    def test_a_folder_that_cannot_be_made_says_why(self, tmp_path, below, reason):
        path = tmp_path / "file"
        path.touch()
        with pytest.raises(InputError) as caught, OutputFolder(Path(f"{path}{below}")).locked():
            pass
        assert str(caught.value) == (
            f"cannot write to the output folder {path}{below}: {reason}; choose another with "
            "--output"
        )

    @pytest.mark.parametrize("name", ["a[b", "a*", "what?", "a\\b", "a\nb", "b" * 250])
    def test_a_folder_in_which_components_would_fail_is_refused_and_not_made(self, tmp_path, name):
        # tmp_path and 250 bytes are short enough; 504 are SQLite's, with "/metadata.sqlite".
        deep = tmp_path / ("c" * 250) if name[0] == "b" else tmp_path
        with pytest.raises(WrongCommandError, match="choose"), OutputFolder(deep / name).locked():
            pass
        assert list(tmp_path.iterdir()) == []

    def test_the_longest_path_can_be_locked(self, tmp_path):
        rest = 504 - len(str(tmp_path)) - len("///metadata.sqlite")
        longest = tmp_path / ("a" * (rest - 200)) / ("b" * 200)
        with OutputFolder(longest).locked():
            assert longest.is_dir()
        with pytest.raises(WrongCommandError, match="is 1 bytes too long for SQLite"):
            OutputFolder(Path(f"{longest}b")).locked().__enter__()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_must_not_be_written_to_says_so(self, tmp_path):
        tmp_path.chmod(0o500)
        with (
            pytest.raises(InputError, match="Permission denied; choose another"),
            OutputFolder(tmp_path).locked(),
        ):
            pass


class TestWhatIsNotOfARun:
    def refusal(self, folder: Path) -> str:
        before = sorted(folder.rglob("*"))
        with pytest.raises(WrongCommandError) as caught, OutputFolder(folder).locked():
            pass
        assert sorted(folder.rglob("*")) == before
        return str(caught.value)

    @pytest.mark.parametrize(
        "name", ["artifacts", "checkpoints", "corpus", "logs", "serving", "tensorboard"]
    )
    def test_a_file_where_a_folder_must_be(self, tmp_path, name):
        (tmp_path / name).touch()
        assert self.refusal(tmp_path) == (
            f"{tmp_path / name} is no folder, and a run writes there: move it away, or choose "
            "another folder with --output"
        )
        (tmp_path / name).unlink()
        (tmp_path / name).symlink_to("nowhere")
        assert " is no folder, and " in self.refusal(tmp_path)

    @pytest.mark.parametrize(
        "name", ["metadata.sqlite", "report.html", "summary.json", ".lock", ".identity"]
    )
    def test_a_folder_where_a_file_must_be(self, tmp_path, name):
        (tmp_path / name).mkdir()
        assert self.refusal(tmp_path).startswith(f"{tmp_path / name} is no file, and a run")

    @pytest.mark.parametrize(
        "name", ["vectors.unfinished", "report.html.unfinished", "summary.json.unfinished"]
    )
    def test_a_folder_where_what_is_unfinished_must_be(self, tmp_path, name):
        (tmp_path / name).mkdir()
        assert self.refusal(tmp_path).startswith(f"{tmp_path / name} is a folder, and a run")

    @pytest.mark.parametrize(
        "make",
        [
            Path.mkdir,
            Path.touch,
            lambda path: path.symlink_to("/elsewhere/vectors"),
            lambda path: path.symlink_to("artifacts/../mine"),
        ],
    )
    def test_vectors_that_are_no_link_of_a_run(self, tmp_path, make):
        make(tmp_path / "vectors")
        assert self.refusal(tmp_path).startswith(
            f"{tmp_path / 'vectors'} is no link of a run, and a run writes there"
        )

    @pytest.mark.parametrize("name", ["report.html", "summary.json", "artifacts/model"])
    def test_what_a_first_run_would_take_for_its_own(self, tmp_path, name):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        assert " is not of a run, and a run writes there" in self.refusal(tmp_path)

    def test_a_lock_of_another_program(self, tmp_path):
        (tmp_path / ".lock").write_text("pid: 12")
        assert " holds no process id, and " in self.refusal(tmp_path)
        assert (tmp_path / ".lock").read_text() == "pid: 12"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_cannot_be_written_to(self, tmp_path):
        (tmp_path / "serving").mkdir(mode=0o500)
        assert " cannot be written to, and " in self.refusal(tmp_path)

    def test_is_nothing_that_a_run_leaves(self, tmp_path):
        (tmp_path / "disk").mkdir()
        (tmp_path / "serving").symlink_to("disk")
        (tmp_path / "notes.txt").touch()
        with OutputFolder(tmp_path).locked():
            (tmp_path / "artifacts").mkdir()
            (tmp_path / "metadata.sqlite").touch()
            (tmp_path / "summary.json").touch()
            (tmp_path / "vectors").symlink_to("artifacts/EmbeddingExporter/vectors/9")
        # The target of `vectors` is gone: a run makes it anew.
        with OutputFolder(tmp_path).locked():
            (tmp_path / "vectors").unlink()
            # As a run leaves it in a copy of the folder, whose artifacts lie in the first one.
            (tmp_path / "vectors").symlink_to("../first/artifacts/EmbeddingExporter/vectors/9")
        with OutputFolder(tmp_path).locked():
            pass


class TestIdentity:
    def drawn(self, path: Path) -> str:
        folder = OutputFolder(path)
        with folder.locked():
            return folder.identity()

    def test_stays(self, tmp_path):
        assert self.drawn(tmp_path / "a") == self.drawn(tmp_path / "a")

    def test_is_of_one_folder(self, tmp_path):
        assert self.drawn(tmp_path / "a") != self.drawn(tmp_path / "b")

    def test_of_the_same_path_on_two_machines_are_two(self, tmp_path):
        first = self.drawn(tmp_path / "a")
        shutil.rmtree(tmp_path / "a")
        assert self.drawn(tmp_path / "a") != first

    def test_of_a_copy_is_another(self, tmp_path):
        first = self.drawn(tmp_path / "a")
        shutil.copytree(tmp_path / "a", tmp_path / "copy")
        assert self.drawn(tmp_path / "copy") != first

    def test_by_a_link_is_the_same(self, tmp_path):
        first = self.drawn(tmp_path / "a")
        (tmp_path / "link").symlink_to("a")
        assert self.drawn(tmp_path / "link") == first

    def test_is_not_drawn_by_asking(self, tmp_path):
        with pytest.raises(InputError, match="run `skipgram run` first, with the same --output"):
            OutputFolder(tmp_path / "none").identity()
        assert list(tmp_path.iterdir()) == []


class TestTemporaryFolder:
    def test_is_empty_and_gone_at_the_end(self, tmp_path):
        with OutputFolder(tmp_path).temporary_folder() as temporary:
            assert temporary.parent == tmp_path
            assert list(temporary.iterdir()) == []
            (temporary / "a").mkdir()
            (temporary / "a" / "b").touch()
        assert list(tmp_path.iterdir()) == []

    def test_is_gone_after_an_interruption(self, tmp_path):
        with pytest.raises(KeyboardInterrupt), OutputFolder(tmp_path).temporary_folder():
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []

    def test_holds_nothing_of_a_killed_run(self, tmp_path):
        def leave() -> None:
            with OutputFolder(tmp_path).temporary_folder() as temporary:
                (temporary / "left").touch()
                os.kill(os.getpid(), signal.SIGKILL)

        process = multiprocessing.get_context("fork").Process(target=leave)
        process.start()
        process.join()
        assert list(tmp_path.rglob("left")) != []
        with OutputFolder(tmp_path).temporary_folder() as temporary:
            assert list(temporary.iterdir()) == []
