import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.local.output_folder import OutputFolder, replace_link
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

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_must_not_be_written_to_says_so(self, tmp_path):
        tmp_path.chmod(0o500)
        with (
            pytest.raises(InputError, match="Permission denied; choose another"),
            OutputFolder(tmp_path).locked(),
        ):
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


class TestReplaceLink:
    @pytest.fixture
    def folders(self, tmp_path: Path) -> list[Path]:
        found = [tmp_path / "artifacts" / name for name in ("1", "2")]
        for folder in found:
            folder.mkdir(parents=True)
            (folder / "name").write_text(folder.name)
        return found

    def test_makes_a_link(self, tmp_path, folders):
        replace_link(tmp_path / "vectors", folders[0])
        assert (tmp_path / "vectors" / "name").read_text() == "1"

    def test_points_it_elsewhere(self, tmp_path, folders):
        for folder in folders:
            replace_link(tmp_path / "vectors", folder)
        assert (tmp_path / "vectors" / "name").read_text() == "2"
        assert sorted(os.listdir(tmp_path)) == ["artifacts", "vectors"]

    def test_goes_on_where_a_killed_run_left_it(self, tmp_path, folders):
        (tmp_path / "vectors.unfinished").symlink_to("nowhere")
        replace_link(tmp_path / "vectors", folders[0])
        assert sorted(os.listdir(tmp_path)) == ["artifacts", "vectors"]

    def test_holds_when_the_output_folder_is_moved(self, tmp_path, folders):
        output = folders[0].parent.parent / "output"
        output.mkdir()
        folders[0].parent.rename(output / "artifacts")
        replace_link(output / "vectors", output / "artifacts" / "1")
        output.rename(tmp_path / "moved")
        assert (tmp_path / "moved" / "vectors" / "name").read_text() == "1"

    def test_readers_always_see_the_old_or_the_new(self, tmp_path, folders):
        link, done, seen, failed = tmp_path / "vectors", threading.Event(), set(), []
        replace_link(link, folders[0])

        def read() -> None:
            try:
                while not done.is_set():
                    seen.add((link / "name").read_text())
            except OSError as error:
                failed.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        for turn in range(1, 2001):
            replace_link(link, folders[turn % 2])
        done.set()
        reader.join()
        assert not failed
        assert seen <= {"1", "2"}
