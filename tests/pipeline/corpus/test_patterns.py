import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.text_example_gen import files
from pipeline.corpus import patterns
from trainer_module.errors import InputError

KNOWN = ".txt, .jsonl, .csv, .tsv, plain or .gz, .bz2, .zst, and .parquet"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two books, some papers below, and what must be left alone."""
    names = ["books/one.txt", "books/two.txt", "papers/2020/a.jsonl.gz", "papers/2021/B.TXT"]
    left_alone = ["books/.draft.txt", ".git/x.txt", "papers/readme.md", "books/pictures/p.png"]
    for name in names + left_alone:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("some words\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def matched(folder: Path, *arguments: str) -> list[str]:
    found = patterns.matched_files(patterns.resolve(arguments))
    return [str(path.relative_to(folder)) for path in found]


def sentence(*arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        patterns.resolve(arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_stands_for_itself(folder: Path) -> None:
    assert patterns.resolve(["books/one.txt"]) == [f"{folder}/books/one.txt"]


def test_a_folder_stands_for_the_files_below_it(folder: Path) -> None:
    assert patterns.resolve(["."]) == [
        f"{folder}/books/[!.]*.txt",
        f"{folder}/papers/2020/[!.]*.jsonl.gz",
        f"{folder}/papers/2021/[!.]*.TXT",
    ]
    assert matched(folder, ".") == [
        "books/one.txt",
        "books/two.txt",
        "papers/2020/a.jsonl.gz",
        "papers/2021/B.TXT",
    ]


def test_tables_of_a_folder_are_read_too(folder: Path) -> None:
    names = ["t/a.csv", "t/b.TSV.GZ", "t/c.parquet"]
    (folder / "t").mkdir()
    for name in [*names, "t/d.xlsx", "t/e.parquet.gz"]:
        (folder / name).write_bytes(b"1,2\n")
    assert matched(folder, "t") == names


def test_a_simple_glob_stays_one(folder: Path) -> None:
    assert patterns.resolve(["books/t*.txt"]) == [f"{folder}/books/t*.txt"]
    assert matched(folder, "books/*.txt") == ["books/one.txt", "books/two.txt"]


def test_a_recursive_glob_becomes_its_files(folder: Path) -> None:
    assert patterns.resolve(["**/*.txt"]) == [
        f"{folder}/books/one.txt",
        f"{folder}/books/two.txt",
    ]


def test_what_two_arguments_name_comes_once(folder: Path) -> None:
    assert matched(folder, "books/one.txt", "./books/one.txt", "books") == [
        "books/one.txt",
        "books/two.txt",
    ]


def test_a_remote_uri_is_not_touched(folder: Path) -> None:
    assert patterns.resolve(["gs://bucket/*.txt", "books/one.txt"]) == [
        f"{folder}/books/one.txt",
        "gs://bucket/*.txt",
    ]


def test_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert patterns.resolve(["~/books/one.txt"]) == [f"{folder}/books/one.txt"]


@pytest.mark.parametrize(
    "name", ["a[1].txt", "b*.txt", "c?.txt", "d{SPAN}.txt", "e].txt", "f é.txt"]
)
@pytest.mark.parametrize("parent", ["plain", "x[y]"])
def test_names_with_a_meaning_in_globs(folder: Path, parent: str, name: str) -> None:
    path = folder / "odd" / parent / name
    path.parent.mkdir(parents=True)
    path.write_text("words\n")
    expected = [f"odd/{parent}/{name}"]
    assert matched(folder, str(path)) == expected
    assert matched(folder, "odd") == expected
    assert matched(folder, "od*/**/*.txt") == expected
    os.chdir(path.parent)
    assert matched(folder, "*.txt") == expected
    assert all("{SPAN}" not in pattern for pattern in patterns.resolve([name]))


def test_links_are_followed_but_not_in_circles(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "linked").symlink_to(folder / "papers" / "2021")
    (folder / "papers" / "2021" / "back").symlink_to(folder / "other")
    assert matched(folder, "other") == ["other/linked/B.TXT"]


def test_a_folder_with_the_name_of_a_file_is_none(folder: Path) -> None:
    (folder / "books" / "three.txt").mkdir()
    assert matched(folder, "books") == ["books/one.txt", "books/two.txt"]
    assert matched(folder, "books/t*.txt") == ["books/two.txt"]


# Every way to be wrong has its own sentence.


def test_nothing_there(folder: Path) -> None:
    assert sentence("boks") == (
        f"there is no file or folder '{folder}/boks'; did you mean 'books'?"
    )
    assert sentence("boks/one.txt").endswith("did you mean 'books'?")
    assert sentence("books/one.text").endswith("did you mean 'one.txt'?")
    assert sentence("zzz/a.txt") == (
        f"there is no file or folder '{folder}/zzz/a.txt'; '{folder}' holds no 'zzz'"
    )


def test_no_argument() -> None:
    assert sentence() == "no corpus was given, or an empty name; name files, folders or globs"
    assert sentence("") == sentence()


def test_glob_without_match(folder: Path) -> None:
    assert sentence("books/*.jsonl") == (
        f"no file matches '{folder}/books/*.jsonl'; check the folder and the ending"
    )


def test_folder_without_known_files(folder: Path) -> None:
    assert sentence("books/pictures") == (
        f"'{folder}/books/pictures' holds no file with a known ending ({KNOWN})"
    )


@pytest.mark.parametrize("argument", ["papers/readme.md", "papers/*", "**/*.md"])
def test_unknown_ending(folder: Path, argument: str) -> None:
    assert sentence(argument) == (
        f"'{folder}/papers/readme.md' has none of the known endings ({KNOWN});"
        " rename it or leave it out"
    )


def test_everything_empty(folder: Path) -> None:
    (folder / "e").mkdir()
    for name in "abcd":
        (folder / "e" / f"{name}.txt").touch()
    assert sentence("e") == (
        f"the corpus is empty, 0 bytes in '{folder}/e/a.txt', '{folder}/e/b.txt', "
        f"'{folder}/e/c.txt' and 1 more; give files with text"
    )
    assert len(matched(folder, "e", "books")) == 6


def test_unreadable_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may read everything, so the system's answer is replaced.
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "two.txt")
    assert sentence("books") == (
        f"'{folder}/books/two.txt' cannot be read; change its permissions (chmod +r)"
    )


def test_unreadable_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert sentence("books") == (
        f"'{folder}/books' cannot be read (Permission denied); change its permissions"
    )


@pytest.mark.parametrize(("name", "what"), [("a\nb.txt", "a newline"), ("a\\b.txt", "a backslash")])
def test_names_that_no_pattern_can_spell(folder: Path, name: str, what: str) -> None:
    (folder / name).write_text("words\n")
    assert sentence(name) == (
        f"the path {str(folder / name)!r} contains {what}; rename the file or folder"
    )


def test_name_that_is_not_utf8(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (folder / name).write_text("words\n")
    assert "is not UTF-8; rename" in sentence(name)


def test_a_device_is_no_file() -> None:
    assert sentence("/dev/null") == "'/dev/null' is neither a file nor a folder; name one that is"


def test_import_is_light() -> None:
    heavy = "{'tensorflow', 'apache_beam', 'tfx', 'numpy'}"
    code = f"import sys, pipeline.corpus; sys.exit(bool({heavy} & set(sys.modules)))"
    root = Path(files.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
