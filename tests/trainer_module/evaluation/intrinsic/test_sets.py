import doctest
from collections.abc import Callable
from pathlib import Path

import pytest

from trainer_module.errors import InputError
from trainer_module.evaluation.intrinsic import sets
from trainer_module.evaluation.intrinsic.sets import (
    Judgement,
    Question,
    fingerprint,
    metric_names,
    parse_analogies,
    parse_similarity,
)


def test_examples_run() -> None:
    found = doctest.testmod(sets)
    assert found.failed == 0
    assert found.attempted >= 4


class TestSimilarity:
    @pytest.mark.parametrize(
        "content",
        [
            b"tiger\tcat\t7.35\nsun\tsky\t5\n",
            b"tiger cat 7.35\nsun  sky 5",  # MEN
            b"tiger\tcat\t7.35\r\n\r\nsun\tsky\t5\r\n",
            b"# of animals\n# Word 1\tWord 2\tHuman\ntiger\tcat\t7.35\n\nsun\tsky\t5\n",
            b"Word 1\tWord 2\tHuman (mean)\ntiger\tcat\t7.35\nsun\tsky\t5\n",
            b"\xef\xbb\xbftiger\tcat\t7.35\nsun\tsky\t5\n",
        ],
        ids=["tabs", "blanks", "windows", "comments", "names of columns", "mark of byte order"],
    )
    def test_is_read_in_all_forms(self, content: bytes) -> None:
        assert parse_similarity(content, "it") == [
            Judgement("tiger", "cat", 7.35),
            Judgement("sun", "sky", 5.0),
        ]

    def test_words_of_several_tokens_stand_between_tabs(self) -> None:
        assert parse_similarity("New York\tKøbenhavn\t-1e1\n".encode(), "it") == [
            Judgement("New York", "København", -10.0)
        ]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"a\tb\t1\na\tb\n", r"line 2 of 'it.txt' is 'a\\tb', and should be two words"),
            (b"a\tb\t1\na\tb\thigh\n", "line 2 of 'it.txt'"),
            (b"a\tb\tnan\na\tb\tinf\n", "line 2 of 'it.txt'"),
            (b"word1\tword2\tPOS\tSimLex999\n", "line 1 of 'it.txt'"),
            (b"a\tb\t1\n\xe9\tb\t1\n", "line 2 of 'it.txt' is not UTF-8"),
            (b"# nothing\n\n", "'it.txt' holds no pair"),
            (b"", "'it.txt' holds no pair"),
            (b"x" * 1000, r"is 'x{80} \.\.\.', and"),
        ],
    )
    def test_of_another_form_is_refused(self, content: bytes, problem: str) -> None:
        with pytest.raises(InputError, match=problem):
            parse_similarity(content, "it.txt")


class TestAnalogies:
    def test_are_read_by_section(self) -> None:
        content = b": one\na b c d\n\n: two words \r\ne f g h\r\n: one\ni j k l\n: none\n"
        assert parse_analogies(content, "it") == {
            "one": [Question("a", "b", "c", "d"), Question("i", "j", "k", "l")],
            "two words": [Question("e", "f", "g", "h")],
            "none": [],
        }

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"a b c d\n: one\n", "line 1 of 'it.txt' is 'a b c d', and should be the name of a"),
            (b": one\na b c\n", "line 2 of 'it.txt' is 'a b c', and should be four words"),
            (b": one\n\na b c d e\n", "line 3 of 'it.txt'"),
            (b": one\n: two\n", "'it.txt' holds no question"),
            (b"", "'it.txt' holds no question"),
        ],
    )
    def test_of_another_form_are_refused(self, content: bytes, problem: str) -> None:
        with pytest.raises(InputError, match=problem):
            parse_analogies(content, "it.txt")


@pytest.fixture
def named(tmp_path: Path) -> dict[str, list[str]]:
    pairs, questions = tmp_path / "pairs.txt", tmp_path / "questions.txt"
    pairs.write_text("a\tb\t1\n")
    questions.write_text(": one\na b c d\n")
    return {"similarity": [str(pairs)], "analogies": [str(questions)]}


def test_the_metrics_of_sets(named: dict[str, list[str]]) -> None:
    assert metric_names(named) == [
        "similarity/pairs",
        "analogies/questions",
        "analogies/questions/cos_mul",
    ]


class TestFingerprint:
    def test_is_another_one_for_another_content_alone(self, named: dict[str, list[str]]) -> None:
        before = fingerprint(named)
        assert fingerprint(named) == before
        for paths, content in (("similarity", "a\tb\t2\n"), ("analogies", ": one\na b c a\n")):
            Path(named[paths][0]).write_text(content)
            assert fingerprint(named) != before
            before = fingerprint(named)

    def test_of_no_set_is_none(self) -> None:
        assert fingerprint({"similarity": [], "analogies": ()}) is None

    @pytest.mark.parametrize(
        ("spoil", "problem"),
        [
            (lambda path: path.unlink(), r"cannot read .*pairs.txt': No such file"),
            (lambda path: path.write_text("a b"), r"line 1 of .*pairs.txt'"),
            (lambda path: (path.unlink(), path.mkdir()), r"pairs.txt': Is a directory"),
        ],
    )
    def test_a_file_that_is_none_is_named(
        self, named: dict[str, list[str]], spoil: Callable[[Path], object], problem: str
    ) -> None:
        spoil(Path(named["similarity"][0]))
        with pytest.raises(InputError, match=problem):
            fingerprint(named)

    def test_a_file_of_another_file_system_is_read_by_tensorflow(
        self, named: dict[str, list[str]]
    ) -> None:
        remote = {kind: [f"file://{path}" for path in paths] for kind, paths in named.items()}
        assert fingerprint(remote) == fingerprint(named)

    def test_one_that_is_not_there_is_named(self) -> None:
        with pytest.raises(InputError, match=r"cannot read the evaluation set 'ram://gone\.txt': "):
            fingerprint({"similarity": ["ram://gone.txt"]})
