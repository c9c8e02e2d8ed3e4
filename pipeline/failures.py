"""One sentence for what went wrong: from exceptions of TFX, Beam and TensorFlow, of names."""

import difflib
import errno
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from components.processes import memory_limit
from pipeline.terminal import shown
from trainer_module.errors import InputError, WithheldError

# Exit codes of `skipgram`; 0: all is well. Of a withheld run it is NOT_BLESSED: to try again, as
# for a run that failed, would change nothing.
RUN_FAILED, WRONG_COMMAND, NOT_BLESSED = 1, 2, 3
# As shells have it: 128 and the number of the signal.
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

# Beam passes on what a DoFn raised, some runners as text, and adds where it happened.
_INPUT_ERROR = re.compile(
    rf"\b(?P<kind>{InputError.__name__}|{WithheldError.__name__}): (?P<sentence>[^\n]+)"
)
_BEAM_PLACE = re.compile(r"\s*\[while running .*$")
_DISK_FULL = re.compile(
    r"No space left on device|database or disk is full|\[Errno 28\]|disk I/O error|ENOSPC"
)
# Of an address: who asks, and what lets him in.
_USER = re.compile(r"://[^/?#\s]*@")
_TOKEN = re.compile(
    r"([?&;#][^=&;\s]*(?:token|secret|passw|pwd|signature|credential|key)[^=&;\s]*=)[^&;#\s'\")]+",
    re.IGNORECASE,
)
_OUT_OF_MEMORY = re.compile(
    r"\b(?:Arrow)?MemoryError\b|std::bad_alloc|[Cc]annot allocate memory|"
    r"failed to map segment|\bOOM when allocating|[Oo]ut of memory"
)
_NO_THREAD = re.compile(r"can't start new thread|pthread_create failed|Thread creation failed")
# Bytes of memory that importing TensorFlow, Beam and TFX asks for, used or not, and a little more.
_LEAST_MEMORY_LIMIT = 3 << 30
# Characters shown of a message that is not ours; the log has the rest.
_LONGEST = 200
# Bytes; with less no component can write what it has to.
_LITTLE_SPACE = 1 << 20


class WrongCommandError(InputError):
    """What was typed cannot be done, whatever the data."""


class ComponentFailedError(Exception):
    """A component of the pipeline failed."""

    def __init__(self, component: str, sentence: str, trace: str, log: Path):
        super().__init__(sentence)
        self.component = component
        self.sentence = sentence
        self.trace = trace
        self.log = log


def sentence_of(error: BaseException) -> str:
    """What went wrong: the InputError inside, if there is one, else the exception's first line."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, InputError):
            return _BEAM_PLACE.sub("", str(link))
    for link in chain:
        if match := _INPUT_ERROR.search(str(link)):
            return _BEAM_PLACE.sub("", match["sentence"])
    lines = str(chain[0]).strip().splitlines() or [""]
    return f"{type(chain[0]).__name__}: {_BEAM_PLACE.sub('', lines[0])[:_LONGEST]}"


def is_withheld(error: ComponentFailedError) -> bool:
    """Whether a component ended the run because of what came in, though it could have gone on."""
    found = _INPUT_ERROR.search(error.trace)
    return found is not None and found["kind"] == WithheldError.__name__


def is_unforeseen(error: ComponentFailedError) -> bool:
    """Whether a component failed by something that is not ours, and was not killed."""
    return bool(error.trace) and not _INPUT_ERROR.search(error.trace)


def sentence_in(log: str) -> str:
    """What went wrong in a process, by the end of its log: the InputError, else the last line."""
    if matches := list(_INPUT_ERROR.finditer(log)):
        return _BEAM_PLACE.sub("", matches[-1]["sentence"])
    lines = [line for line in log.splitlines() if line.strip()] or ["it said nothing"]
    return lines[-1].strip()[:_LONGEST]


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := _cause(chain[-1])) and cause not in chain:
        chain.append(cause)
    return chain


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether a failure comes of a full disk below `folder`."""
    errnos = {link.errno for link in _chain(error) if isinstance(link, OSError)}
    if errno.ENOSPC in errnos or _DISK_FULL.search(getattr(error, "trace", "") or str(error)):
        return True
    if errnos - {None} or isinstance(error, InputError):  # it says what else it is
        return False
    usage = shutil.disk_usage(_existing(folder))
    return usage.total > 0 and usage.free < _LITTLE_SPACE  # 0 bytes in all: /proc is no disk


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def disk_full_sentence(folder: Path) -> str:
    """What to say of a full disk below `folder`: how much is free, and the way out."""
    free = shutil.disk_usage(_existing(folder)).free / 1e6
    return (
        f"the disk of the output folder {folder} is full ({free:,.1f} MB free): free some space or "
        "choose another with --output, then give the same command again"
    )


def require_memory() -> None:
    """Checks the limit of memory: with far too little, native code ends without a word.

    Raises:
      InputError: the limit is too low for anything.
    """
    limit = memory_limit()
    if limit is not None and limit < _LEAST_MEMORY_LIMIT:
        raise InputError(
            f"`ulimit -v` allows {limit / 1e9:.1f} GB of memory, and a run needs "
            f"{_LEAST_MEMORY_LIMIT / 1e9:.1f} GB before it reads a word: raise the limit"
        )


def memory_sentence(error: BaseException) -> str | None:
    """What to say of a failure that comes of too little memory; None of any other."""
    if any(isinstance(link, InputError) for link in _chain(error)):
        return None
    text = getattr(error, "trace", "") or f"{type(error).__name__}: {error}"
    limit = memory_limit()
    allowed = "" if limit is None else f" (`ulimit -v` allows {limit / 1e9:.1f} GB)"
    if _INPUT_ERROR.search(text):
        return None
    if _NO_THREAD.search(text):
        return f"no more threads could be started{allowed}: raise `ulimit -v` or `ulimit -u`"
    if _OUT_OF_MEMORY.search(text):
        return (
            f"memory ran out{allowed}: give it more, or give the run less to do by a higher "
            "preprocessing.min_count or a lower trainer.dim"
        )
    return None


def explain(error: BaseException, folder: Path) -> str:
    """The sentence for a failure of a run with this output folder."""
    if is_disk_full(error, folder):
        return disk_full_sentence(folder)
    if sentence := memory_sentence(error):
        return sentence
    return error.sentence if isinstance(error, ComponentFailedError) else sentence_of(error)


def without_credentials(text: str) -> str:
    """Text without what its addresses say of users, passwords and tokens.

    >>> without_credentials("no answer from https://me:secret@host/a?token=s&b=1")
    'no answer from https://host/a?token=...&b=1'
    """
    return _TOKEN.sub(r"\1...", _USER.sub("://", text))


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """A sentence about a name that is not known, with the nearest of those that are.

    >>> unknown_name("colour", "bleu", ["red", "blue"])
    'bleu is no colour; the nearest is blue'
    """
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    return shown(f"{name} is no {kind}" + (f"; the nearest is {nearest[0]}" if nearest else ""))
