"""Networks of processes' own: whether this machine allows them, and how it is when one does not."""

import ctypes
import os
import struct
import sys
from collections.abc import Sequence

from components.multi_worker_trainer.private_network import private_network


def _are_allowed() -> bool:
    try:
        with private_network():
            return True
    except OSError:
        return False


ALLOWED = _are_allowed()


def refusing(command: Sequence[str]) -> list[str]:
    """A command that runs `command` where the kernel allows no namespaces, as in most containers.

    It is this file, run as a program: a filter of system calls as container engines set one.
    """
    # -P: beside it lies tests/components, which is not what the command imports.
    return [sys.executable, "-P", __file__, *command]


def _refuse_unshare() -> None:
    # seccomp's filter for x86-64: unshare (system call 272) fails with EPERM, all else is allowed.
    load, jump_if_equal, answer = 0x20, 0x15, 0x06
    fails, allowed = 0x00050001, 0x7FFF0000
    program = [(load, 0, 0, 0), (jump_if_equal, 0, 1, 272), (answer, 0, 0, fails)]
    packed = b"".join(struct.pack("HBBI", *step) for step in [*program, (answer, 0, 0, allowed)])
    buffer = ctypes.create_string_buffer(packed)
    filter_ = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    if prctl(no_new_privileges, 1, 0, 0, 0) or prctl(set_seccomp, mode_filter, filter_):
        raise OSError(ctypes.get_errno(), "no filter of system calls could be set")


if __name__ == "__main__":
    _refuse_unshare()
    os.execvp(sys.argv[1], sys.argv[1:])
