"""Processes of this machine: their ports, their environment, their ends. Standard library only."""

import contextlib
import ctypes
import gc
import os
import re
import resource
import signal
import socket
from collections.abc import Iterator, Mapping

# Names such as MYSQL_PWD, API_KEY and SECRET_TOKEN_2, but not PWD, the working directory.
_SECRET_NAME = re.compile(
    r"_PWD$|PASSW|(^|_)(PASSPHRASE|SECRETS?|TOKEN|KEY|CREDENTIALS?)(_|$)", re.IGNORECASE
)
# An address with the password of a user.
_SECRET_VALUE = re.compile(r"://[^/@\s]*@")

_PR_SET_PDEATHSIG = 1
_ENDS_WITHOUT_MEMORY = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)


def free_ports(number: int) -> list[int]:
    """Returns different ports of this machine on which nobody listens.

    Each is held until the last is found.
    """
    with contextlib.ExitStack() as stack:
        return [_bound(stack.enter_context(socket.socket())) for _ in range(number)]


def _bound(own: socket.socket) -> int:
    own.bind(("127.0.0.1", 0))
    port: int = own.getsockname()[1]
    return port


def without_secrets(environment: Mapping[str, str], kept: tuple[str, ...] = ()) -> dict[str, str]:
    """The environment for a process that asks no server for anything.

    Args:
      environment: of this process.
      kept: beginnings of names that stay in any case.

    Returns:
      It without what is named as a secret, or is an address with a user's password.

    >>> without_secrets({"PWD": "/home", "MYSQL_PWD": "s", "PROXY": "http://me:s@here"})
    {'PWD': '/home'}
    """
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(kept) or not (_SECRET_NAME.search(name) or _SECRET_VALUE.search(value))
    }


def die_with(parent: int) -> None:
    """Lets the kernel end this process when its parent ends, however that ends.

    Args:
      parent: its process id.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before that
        os._exit(1)


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Imports in its body take a quarter less, and the collector never looks at them again.

    What is imported stays, so to look for garbage among it, again and again, is in vain: it is half
    a million objects with TensorFlow, Beam and TFX. Processes that are forked from this one profit
    for all of their lives. They also share more memory with it, as the collector writes to what it
    looks at.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def memory_limit() -> int | None:
    """Bytes of memory that a process may ask for (`ulimit -v`), if there is a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def ending_signal(exit_code: int | None) -> str:
    """Names the signal that ended a process.

    Args:
      exit_code: as Python's process classes give it: negative after a signal.

    Returns:
      Such as "SIGKILL"; "" if the process ended by itself.

    >>> ending_signal(-9), ending_signal(1)
    ('SIGKILL', '')
    """
    return signal.Signals(-exit_code).name if exit_code is not None and exit_code < 0 else ""


def hint_at_memory(exit_code: int | None) -> str:
    """Says what may be behind the end of a process.

    The kernel sends a SIGKILL when memory runs out. Native code that gets no memory aborts.

    Returns:
      A clause for a sentence; "" after any other end.

    >>> hint_at_memory(-9), hint_at_memory(1)
    ('the machine may have run out of memory', '')
    """
    if exit_code == -signal.SIGKILL:
        return "the machine may have run out of memory"
    limit = memory_limit()
    if limit is not None and exit_code in _ENDS_WITHOUT_MEMORY:
        return f"`ulimit -v` allows it {limit / 1e9:.1f} GB of memory, which may be too little"
    return ""
