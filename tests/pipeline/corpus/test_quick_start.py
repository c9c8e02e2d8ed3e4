import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.corpus import quick_start
from trainer_module.errors import InputError

SOURCE = '''
"""The module."""

class Outer:
    """  A class,
    on two lines.\t"""

    def method(self):
        r"""A \\d method."""
        async def nested():
            """A coroutine."""

    class Inner:
        """A class inside."""

x = """Text, but no docstring."""

def bare():
    return """Nor this."""

def comment():
    # nor this
    pass

def spaces():
    """   """

def number():
    """Same."""

async def again():
    """Same."""
'''


class TestDocstrings:
    def test_of_module_classes_functions_and_coroutines_at_any_depth(self):
        assert sorted(quick_start.docstrings(SOURCE)) == [
            "",
            "A \\d method.",
            "A class inside.",
            "A class, on two lines.",
            "A coroutine.",
            "Same.",
            "Same.",
            "The module.",
        ]

    def test_of_nothing(self):
        assert list(quick_start.docstrings("")) == []

    @pytest.mark.parametrize("blank", ["\n", "\t", "\f", "\v", "\r\n", "\x1c", "\x85", "\u2028"])
    def test_each_is_one_line_whatever_breaks_lines(self, blank):
        source = f'def f():\n    """one{blank}two"""\n'
        [document] = quick_start.docstrings(source)
        assert document == "one two"

    def test_bytes_and_formatted_strings_are_none(self):
        assert list(quick_start.docstrings('def f():\n    b"bytes"\n')) == []
        assert list(quick_start.docstrings('def f():\n    f"a {1}"\n')) == []

    def test_invalid_escapes_are_not_the_readers_business(self, recwarn):
        assert list(quick_start.docstrings('"a \\d"')) == ["a \\d"]
        assert not recwarn.list

    def test_what_is_not_python_raises(self):
        with pytest.raises(SyntaxError):
            list(quick_start.docstrings("print 'python 2'"))


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


class TestSourceFiles:
    @pytest.mark.parametrize("backwards", [False, True])
    def test_come_in_the_order_of_their_names_however_a_disk_lists_them(
        self, tmp_path, monkeypatch, backwards
    ):
        walk = os.walk

        def listed(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
            for folder, subfolders, names in walk(root):
                subfolders.sort(reverse=backwards)
                yield folder, subfolders, sorted(names, reverse=backwards)

        monkeypatch.setattr(os, "walk", listed)
        names = ["b.py", "a.py", "d/z.py", "d/a.py", "c/b.py", "c/a/x.py"]
        names += [f"{letter}/a.py" for letter in "hgfe"]
        write(tmp_path, dict.fromkeys(names, ""))
        found = [
            path.relative_to(tmp_path).as_posix() for path in quick_start.source_files(tmp_path)
        ]
        assert found == [
            "a.py",
            "b.py",
            "c/b.py",
            "c/a/x.py",
            "d/a.py",
            "d/z.py",
            *(f"{letter}/a.py" for letter in "efgh"),
        ]

    def test_tests_and_what_is_no_source_are_left_out(self, tmp_path):
        kept = ["a.py", "deep/down/b.py", "tests.py"]
        left_out = [
            "a.pyi",
            "a.txt",
            "tests/a.py",
            "deep/test/a.py",
            "__pycache__/a.py",
            "site-packages/p/a.py",
            "idlelib/a.py",
        ]
        write(tmp_path, dict.fromkeys(kept + left_out, ""))
        found = {
            path.relative_to(tmp_path).as_posix() for path in quick_start.source_files(tmp_path)
        }
        assert found == set(kept)


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two small packages in place of the installed ones."""
    folders = [tmp_path / "second_by_name", tmp_path / "first_by_name"]
    write(
        folders[0],
        {
            "a.py": '"""Naïve zeta."""\ndef f():\n    """Shared."""\n',
            "b.py": '"""Alpha."""\n',
            "template.py": '"""Lost.""" {{ no python }}',
        },
    )
    write(folders[1], {"a.py": '"""Shared."""\ndef f():\n    """   """\n', "b.py": '"""Last."""'})
    folders[1].joinpath("latin1.py").write_bytes(b'"""Caf\xe9."""')
    monkeypatch.setattr(quick_start, "_roots", lambda: iter(folders))
    return folders


class TestQuickStartCorpus:
    @pytest.mark.usefixtures("roots")
    def test_is_a_docstring_a_line_without_blank_ones_duplicates_and_broken_files(self, tmp_path):
        path = quick_start.quick_start_corpus(tmp_path / "made" / "here")
        assert path.parent == tmp_path / "made" / "here"
        assert path.suffix == ".txt"
        assert path.read_bytes().decode() == "Naïve zeta.\nShared.\nAlpha.\nLast.\n"

    def test_is_written_once(self, tmp_path, roots):
        path = quick_start.quick_start_corpus(tmp_path / "corpus")
        before = path.read_bytes(), path.stat().st_mtime_ns
        write(roots[0], {"c.py": '"""More."""'})
        assert quick_start.quick_start_corpus(tmp_path / "corpus") == path
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before

    @pytest.mark.usefixtures("roots")
    def test_other_versions_make_another_file(self, tmp_path, monkeypatch):
        first = quick_start.quick_start_corpus(tmp_path)
        monkeypatch.setattr(quick_start, "versions", lambda: {"python": "3.11.99"})
        assert quick_start.quick_start_corpus(tmp_path) != first

    @pytest.mark.usefixtures("roots")
    def test_the_same_versions_make_the_same_name_in_any_folder(self, tmp_path):
        first = quick_start.quick_start_corpus(tmp_path / "x")
        assert quick_start.quick_start_corpus(tmp_path / "y").name == first.name

    @pytest.mark.usefixtures("roots")
    def test_one_cut_short_is_not_taken_for_finished(self, tmp_path, monkeypatch):
        def cut_short():
            yield "The first."
            raise OSError("power")

        folder = tmp_path / "corpus"
        with monkeypatch.context() as patch:
            patch.setattr(quick_start, "_documents", cut_short)
            with pytest.raises(OSError, match="power"):
                quick_start.quick_start_corpus(folder)
        assert not list(folder.glob("*.txt"))
        path = quick_start.quick_start_corpus(folder)
        assert path.read_bytes().decode() == "Naïve zeta.\nShared.\nAlpha.\nLast.\n"
        assert list(folder.iterdir()) == [path]


class TestInstalledPackages:
    def test_roots_are_folders_with_python_files_the_standard_library_first(self):
        roots = list(quick_start._roots())
        assert [root.name for root in roots] == [
            "python3.11",
            "numpy",
            "scipy",
            "pandas",
            "sklearn",
            "tensorflow",
            "keras",
            "apache_beam",
        ]
        assert all(root.joinpath("__init__.py").exists() for root in roots[1:])
        assert roots[0].joinpath("ast.py").exists()

    def test_a_package_that_is_not_installed_is_named(self, monkeypatch):
        monkeypatch.setitem(quick_start.PACKAGES, "no-such-thing", "no_such_thing")
        with pytest.raises(InputError, match="no_such_thing is not there: install requirements"):
            list(quick_start._roots())
        with pytest.raises(InputError, match="no-such-thing is not there: install requirements"):
            quick_start.versions()

    def test_versions_name_python_and_each_package(self):
        versions = quick_start.versions()
        assert versions["python"].startswith("3.11.")
        assert versions["tensorflow"] == "2.21.0"
        assert len(versions) == 8
