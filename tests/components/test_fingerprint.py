import string
from pathlib import Path

import pytest

from components import fingerprint
from components.fingerprint import code_fingerprint


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages: one (with one.inner) and two."""
    for name in ("one/__init__.py", "one/a.py", "one/inner/b.py", "two/a.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    monkeypatch.setattr(fingerprint, "_ROOT", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("root")
def test_is_sixteen_hexadecimal_digits():
    found = code_fingerprint("one")
    assert len(found) == 16
    assert set(found) <= set(string.hexdigits)


@pytest.mark.usefixtures("root")
def test_is_the_same_as_long_as_nothing_changes():
    assert code_fingerprint("one", "two") == code_fingerprint("one", "two")


@pytest.mark.usefixtures("root")
def test_does_not_depend_on_the_order_in_which_a_disk_lists_files(monkeypatch):
    before, listed = code_fingerprint("one"), Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda *what: reversed(list(listed(*what))))
    assert code_fingerprint("one") == before


def test_changes_with_an_edit_at_any_depth(root):
    before = code_fingerprint("one")
    (root / "one/inner/b.py").write_text("# one/inner/b.py\n\n")
    assert code_fingerprint("one") != before


def test_a_checkout_with_the_line_ends_of_windows_is_the_same(root):
    before = code_fingerprint("one")
    (root / "one/a.py").write_bytes(b"# one/a.py\r\n")
    assert code_fingerprint("one") == before


def test_changes_with_a_new_file(root):
    before = code_fingerprint("one")
    (root / "one/c.py").touch()
    assert code_fingerprint("one") != before


def test_changes_with_a_new_name(root):
    before = code_fingerprint("one")
    (root / "one/a.py").rename(root / "one/aa.py")
    assert code_fingerprint("one") != before


def test_does_not_change_with_what_is_no_source(root):
    before = code_fingerprint("one")
    (root / "one/__pycache__").mkdir()
    (root / "one/__pycache__/a.cpython-311.pyc").touch()
    (root / "one/notes.txt").write_text("notes")
    assert code_fingerprint("one") == before


def test_does_not_change_with_another_package(root):
    before = code_fingerprint("one")
    (root / "two/a.py").write_text("edited")
    assert code_fingerprint("one") == before
    assert code_fingerprint("one", "two") != before


def test_does_not_depend_on_where_the_code_lies(root, tmp_path, monkeypatch):
    before = code_fingerprint("one.inner")
    (tmp_path / "elsewhere").mkdir()
    (root / "one").rename(tmp_path / "elsewhere" / "one")
    monkeypatch.setattr(fingerprint, "_ROOT", tmp_path / "elsewhere")
    assert code_fingerprint("one.inner") == before


@pytest.mark.usefixtures("root")
def test_a_package_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"package one\.nothing has no sources"):
        code_fingerprint("one", "one.nothing")


@pytest.mark.parametrize(
    "package", ["trainer_module", "components.embedding_evaluator", "components.text_example_gen"]
)
def test_finds_our_own_packages(package):
    assert len(code_fingerprint(package)) == 16
