"""How many cores this process may use: those of its machine, or fewer in a container."""

import contextlib
import math
import os
import socket
import zlib
from collections.abc import Sequence
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
# Of the two versions of Linux's control groups: the file with both numbers; a file for each.
_MAX = "cpu.max"
_QUOTAS = ("cpu/cpu.cfs_quota_us", "cpu,cpuacct/cpu.cfs_quota_us", "cpu.cfs_quota_us")


def quota(cgroup: Path = _CGROUP) -> float | None:
    """Cores' worth of time that the container's limit allows; None where there is no limit.

    `os.sched_getaffinity` and `os.cpu_count` do not know of it: in a pod with a limit of 4 on a
    machine of 64 cores they say 64.

    Args:
      cgroup: the folder of this process's control group, as a container sees it.
    """
    with contextlib.suppress(OSError, ValueError):
        allowed, period = (cgroup / _MAX).read_text(encoding="ascii").split()
        return None if allowed == "max" else int(allowed) / int(period)
    for name in _QUOTAS:
        with contextlib.suppress(OSError, ValueError):
            path = cgroup / name
            allowed = path.read_text(encoding="ascii")
            period = path.with_name("cpu.cfs_period_us").read_text(encoding="ascii")
            return None if int(allowed) < 0 else int(allowed) / int(period)
    return None


def share(
    cores: Sequence[int], limit: float | None, index: int, number: int, start: int = 0
) -> list[int]:
    """The cores of one of several processes that share what all may use.

    Args:
      cores: of the machine, by their numbers.
      limit: quota; a part of a core counts as one, as it would lie idle otherwise: three threads do
        not use 3.5 cores' worth of time, and four are held back for a moment of each 0.1 seconds.
      index: of the process.
      number: of processes.
      start: the place among `cores` from which a limited process takes its own.

    >>> share(range(8), None, 1, 3), share(range(8), 2.5, 0, 2), share(range(8), 0.5, 1, 2)
    ([1, 4, 7], [0, 2], [0])
    """
    allowed = list(cores)
    if limit is not None and limit < len(allowed):
        first = start % len(allowed)
        allowed = (allowed[first:] + allowed[:first])[: max(1, math.ceil(limit))]
    return allowed[index::number] or [allowed[index % len(allowed)]]


def usable() -> int:
    """How many cores this process may use."""
    return len(share(sorted(os.sched_getaffinity(0)), quota(), 0, 1))


def take(index: int = 0, number: int = 1) -> None:
    """Binds this process to its cores, by which TensorFlow and others count their threads.

    Where the container has no limit and the process is alone, nothing changes.

    Args:
      index, number: see share.
    """
    # The same in all processes of a pod, and another in the next pod of the machine: else all would
    # take the machine's first cores.
    start = zlib.crc32(socket.gethostname().encode())
    cores = sorted(os.sched_getaffinity(0))
    own = share(cores, quota(), index, number, start)
    if len(own) < len(cores):
        os.sched_setaffinity(0, own)
