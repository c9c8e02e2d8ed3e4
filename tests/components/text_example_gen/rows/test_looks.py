from collections.abc import Sequence

import pytest

from components.text_example_gen.account import ReadingCounts
from components.text_example_gen.rows import looks

PROSE = [
    b"It was the best of times, it was the worst of times.",
    "“Indeed?” said he, and went on.".encode(),
    b"CHAPTER ONE",
    b"Nobody, as far as we know, was there; they left.",
]
EDGES = [b"%d\t%d" % (nth, nth * 7) for nth in range(60)]
SESSIONS = [b" ".join(b"%d" % (nth * at) for at in range(2 + nth % 5)) for nth in range(60)]
ITEMS = [line.replace(b" ", b" sku-") for line in SESSIONS]


def found(lines: Sequence[bytes], kind: str) -> dict[str, int]:
    counts = ReadingCounts()
    looks.count(b"\n".join(lines) + b"\n", kind, counts)
    return {name: n for name, n in counts.by_name().items() if name.startswith("files_like")}


@pytest.mark.parametrize(
    ("lines", "kind", "expected"),
    [
        (PROSE * 20, "text", {}),
        (PROSE * 20, "sessions", {"files_like_text": 1}),
        (EDGES, "text", {"files_like_edges": 1}),
        (EDGES, "sessions", {"files_like_edges": 1}),
        (EDGES, "edges", {}),
        (EDGES, "pairs", {}),
        (SESSIONS, "text", {"files_like_sessions": 1}),
        (SESSIONS, "sessions", {}),
        (ITEMS, "sessions", {}),
        (EDGES[:20], "text", {}),  # too few to say
        ([line + b" .5" for line in EDGES], "text", {"files_like_edges": 1}),
        ([*EDGES, *PROSE], "text", {}),
    ],
)
def test_what_lines_look_like(lines: list[bytes], kind: str, expected: dict[str, int]) -> None:
    assert found(lines, kind) == expected


def test_a_file_of_few_bytes_has_no_looks() -> None:
    assert found([], "text") == found([b""], "sessions") == {}
