import os
import threading
from pathlib import Path

import pytest

from pipeline.atomic import aside, replace_link, write_aside


class TestAside:
    def test_puts_the_new_in_place_of_the_old(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_text("old")
        with aside(path) as unfinished:
            unfinished.write_text("new")
            assert path.read_text() == "old"
        assert path.read_text() == "new"
        assert list(tmp_path.iterdir()) == [path]

    def test_leaves_the_old_where_writing_fails(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_text("old")
        with pytest.raises(UnicodeEncodeError):
            write_aside(path, "new\ud800")
        assert path.read_text() == "old"

    def test_files_of_one_folder_that_differ_in_their_ending_do_not_meet(self, tmp_path):
        with aside(tmp_path / "a.txt") as one, aside(tmp_path / "a.bin") as other:
            one.write_text("text")
            other.write_text("binary")
        assert (tmp_path / "a.txt").read_text() == "text"

    def test_text_is_utf8_in_any_locale(self, tmp_path):
        write_aside(tmp_path / "a.txt", "naïve")
        assert (tmp_path / "a.txt").read_bytes() == b"na\xc3\xafve"


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
