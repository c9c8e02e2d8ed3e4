"""Which files TextExampleGen reads: the endings it knows, and what patterns stand for.

Light, the standard library alone: the command line checks a corpus with it before anything is
imported that takes seconds.
"""

import glob
import os
import re
from collections.abc import Sequence
from itertools import takewhile

# What holds lines, and may be compressed as a whole.
OF_LINES = (".txt", ".jsonl", ".csv", ".tsv")
COMPRESSIONS = (".gz", ".bz2", ".zst")
PARQUET = ".parquet"
DESCRIPTION = f"{', '.join(OF_LINES)}, plain or {', '.join(COMPRESSIONS)}, and {PARQUET}"
# What stands for the year, the month and the day in a name, as in TFX's own patterns.
DATE_FIELDS = {"{YYYY}": "%Y", "{MM}": "%m", "{DD}": "%d"}
ENDINGS = (
    *(one + compression for one in OF_LINES for compression in ("", *COMPRESSIONS)),
    PARQUET,
)


def known_ending(name: str) -> str | None:
    """Returns the ending of `name` that TextExampleGen knows, in lower case, or None.

    >>> known_ending("books/EMMA.TXT.GZ")
    '.txt.gz'
    >>> known_ending("table.xlsx") is None
    True
    """
    lowered = name.lower()
    return next((ending for ending in ENDINGS if lowered.endswith(ending)), None)


def compression(name: str) -> str:
    """Returns what `name` is compressed with: ".gz", ".bz2", ".zst", or "" for nothing.

    >>> compression("a.jsonl.zst"), compression("a.txt")
    ('.zst', '')
    """
    lowered = name.lower()
    return next((ending for ending in COMPRESSIONS if lowered.endswith(ending)), "")


def format_of(name: str) -> str:
    """Returns the known ending of `name` without that of its compression.

    >>> format_of("a.jsonl.gz"), format_of("A.TSV"), format_of("a.json")
    ('.jsonl', '.tsv', '')
    """
    ending = known_ending(name) or ""
    return ending.removesuffix(compression(ending))


def is_remote(path: str) -> bool:
    """Whether `path` is the URI of a remote file system.

    >>> is_remote("gs://bucket/a.txt"), is_remote("/a.txt")
    (True, False)
    """
    return "://" in path


def is_dated(path: str) -> bool:
    """Whether `path` holds a field of a date.

    >>> is_dated("logs/{YYYY}-{MM}-{DD}/*.gz"), is_dated("logs/2026/*.gz")
    (True, False)
    """
    return any(field in path for field in DATE_FIELDS)


def has_magic(path: str) -> bool:
    """Whether `path` contains a character that a glob does not take for itself.

    >>> has_magic("*.txt"), has_magic("{a}.txt")
    (True, False)
    """
    return any(character in path for character in "*?[")


def escape(path: str) -> str:
    """Returns the glob that matches `path` alone, in Python's glob and in TensorFlow's.

    "{" is escaped too: TFX replaces {SPAN}, {VERSION} and {YYYY} in a pattern.

    >>> escape("what?.txt")
    'what[?].txt'
    """
    return re.sub(r"([*?[{])", r"[\1]", path)


def local_matches(pattern: str) -> list[str]:
    """Returns the files, not the folders, that a local glob matches, sorted.

    As in a shell, a hidden file is matched only where the pattern spells its dot.
    """
    return sorted(path for path in glob.glob(pattern) if os.path.isfile(path))


def split_root(patterns: Sequence[str]) -> tuple[str, list[str]]:
    """Splits patterns into the folder that all of them share and what follows it.

    Args:
      patterns: absolute local globs, URIs, or both.

    Returns:
      The root, "" where they share none, and relative patterns: os.path.join(root, relative) is
      the pattern that was given.

    >>> split_root(["/corpus/a/*.txt", "/corpus/b.txt"])
    ('/corpus', ['a/*.txt', 'b.txt'])
    >>> split_root(["gs://bucket/a.txt", "/corpus/b.txt"])
    ('', ['gs://bucket/a.txt', '/corpus/b.txt'])
    """
    levels = zip(*(_literal_folders(pattern) for pattern in patterns), strict=False)
    shared = [level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels)]
    root = "/".join(shared) or ("/" if shared else "")
    if not root or root.endswith(":/"):  # two file systems; or a scheme without a bucket
        return "", list(patterns)
    return root, [pattern.removeprefix(root).removeprefix("/") for pattern in patterns]


def _literal_folders(pattern: str) -> list[str]:
    folders = pattern.split("/")[:-1]
    magic = next((i for i, folder in enumerate(folders) if has_magic(folder)), len(folders))
    return folders[:magic]


def name_few(names: Sequence[str], most: int = 3) -> str:
    """Returns `names` for a sentence: the first `most` of them, and how many more there are.

    >>> print(name_few(["a.txt", "b.txt", "c.txt"], most=2))
    'a.txt', 'b.txt' and 1 more
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
