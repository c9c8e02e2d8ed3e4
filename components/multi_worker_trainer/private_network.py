"""A network of their own for processes of this machine: a loopback interface and nothing else.

TensorFlow's servers listen on all addresses and let in whoever comes. In a network namespace of
Linux there is no address but its own loopback's, and no way leads into it from outside. Whoever may
make none by rights makes it in a user namespace, in which the ids of users mean what they mean
outside: files are written as the user.

Python also runs this file itself, to make the namespaces and to enter them: the kernel lets only a
process of one thread into a user namespace. The standard library only.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

# Of Linux: sched.h, sockios.h and if.h.
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_MAKE, _ENTER = "make", "enter"
# Alone: nothing of the user's folders or environment is imported.
_THIS = (sys.executable, "-I", "-S", __file__)


class Network(NamedTuple):
    """Where processes are started: by default where this one is."""

    namespaces: tuple[int, ...] = ()  # open descriptors, in the order in which they are entered

    def command(self, command: Sequence[str]) -> list[str]:
        """A command that runs `command` there, as the same process; it needs `namespaces` open."""
        if not self.namespaces:
            return list(command)
        return [*_THIS, _ENTER, ",".join(map(str, self.namespaces)), *command]


@contextlib.contextmanager
def private_network() -> Iterator[Network]:
    """Makes a network; it lasts as long as a process is in it.

    Raises:
      OSError: this machine has no such networks, or does not allow one here.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, f"{sys.platform} has no network namespaces")
    with contextlib.ExitStack() as stack:
        maker = stack.enter_context(
            subprocess.Popen(
                [*_THIS, _MAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        said, _, problem = _line_of(maker).partition(" ")
        if said not in ("net", "user,net"):
            raise OSError(int(said or errno.EIO), problem or "the process that makes one has ended")
        if said == "user,net":
            _map_ids(maker.pid)
        network = Network(tuple(_opened(stack, maker.pid, kind) for kind in said.split(",")))
        maker.communicate("")
        yield network


def _line_of(maker: subprocess.Popen[str]) -> str:
    assert maker.stdout is not None
    return maker.stdout.readline().rstrip("\n")


def _opened(stack: contextlib.ExitStack, pid: int, kind: str) -> int:
    descriptor = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY)
    stack.callback(os.close, descriptor)
    return descriptor


def _map_ids(pid: int) -> None:
    """The ids of the user mean in the namespace what they mean outside; root has those of all."""
    for kind, own in (("uid", os.geteuid()), ("gid", os.getegid())):
        known = [(own, 1)]
        if os.geteuid() == 0:
            rows = Path(f"/proc/self/{kind}_map").read_text(encoding="ascii").splitlines()
            known = [(int(inside), int(count)) for inside, _, count in map(str.split, rows)]
        elif kind == "gid":
            # The kernel wants it of whoever may not change his groups outside.
            Path(f"/proc/{pid}/setgroups").write_text("deny", encoding="ascii")
        rows = [f"{first} {first} {count}\n" for first, count in known]
        Path(f"/proc/{pid}/{kind}_map").write_text("".join(rows), encoding="ascii")


def _make() -> None:
    """Is the process in a new network, and says so, until its input ends."""
    try:
        namespaces = _unshare()
        _loopback_up()
    except OSError as error:
        print(f"{error.errno} {error.strerror}", flush=True)
        return
    print(namespaces, flush=True)
    sys.stdin.read()


def _unshare() -> str:
    # Whoever may make a network keeps his rights over files; in a user namespace root loses some.
    try:
        _call("unshare", _CLONE_NEWNET)
        return "net"
    except PermissionError:
        _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
        return "user,net"


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


def _enter(descriptors: str, command: Sequence[str]) -> None:
    for descriptor in map(int, descriptors.split(",")):
        _call("setns", descriptor, 0)
        os.close(descriptor)
    os.execvp(command[0], list(command))


if __name__ == "__main__":
    if sys.argv[1] == _MAKE:
        _make()
    else:
        _enter(sys.argv[2], sys.argv[3:])
