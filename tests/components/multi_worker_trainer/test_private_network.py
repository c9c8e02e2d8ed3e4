"""Real processes in real namespaces: who reaches whom, and whose files are written."""

import ctypes
import errno
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.multi_worker_trainer import private_network as module
from components.multi_worker_trainer.private_network import Network, private_network
from tests import networks

needs_namespaces = pytest.mark.skipif(
    not networks.ALLOWED, reason="the kernel allows no namespaces here"
)
_CAP_SYS_ADMIN = 21
# Listens on all addresses of IPv4 and IPv6, as TensorFlow's servers do, until its input ends.
_SERVER = """
import socket, sys
server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""
_CLIENT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
# The module as another user runs it: no path of this checkout need be his to read.
_AS_USER = """
import runpy, subprocess, sys
module = runpy.run_path(sys.argv[1])
with module["private_network"]() as network:
    command = network.command(["sh", "-c", "echo $(id -u) >file && cat /proc/net/dev"])
    subprocess.run(command, pass_fds=network.namespaces, check=True)
"""


def started(network: Network, code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        network.command([sys.executable, "-c", code, *arguments]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=network.namespaces,
    )


def connects(network: Network, address: str, port: int) -> bool:
    with started(network, _CLIENT, address, str(port)) as client:
        client.communicate()
    return client.returncode == 0


def listening_ports() -> set[int]:
    """Of this process' network, as the kernel lists them."""
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {int(fields[1].rpartition(":")[2], 16) for fields in lines if fields[3] == "0A"}


def own_addresses() -> Iterator[str]:
    yield from ("127.0.0.1", "::1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))  # sends nothing; chooses the address to send from
        except OSError:
            return
        yield one.getsockname()[0]


@needs_namespaces
def test_processes_in_it_reach_each_other_and_nobody_else_reaches_them() -> None:
    with private_network() as network, started(network, _SERVER) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        assert connects(network, "127.0.0.1", port)
        assert connects(network, "::1", port)
        assert port not in listening_ports()
        for address in own_addresses():
            assert not connects(Network(), address, port), address
        with private_network() as another:
            assert not connects(another, "127.0.0.1", port)
        server.communicate("")


def test_without_one_a_server_is_found_by_all_of_these_ways() -> None:
    with started(Network(), _SERVER) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        assert port in listening_ports()
        assert all(connects(Network(), address, port) for address in own_addresses())
        server.communicate("")


@needs_namespaces
def test_nothing_outside_is_reached_from_it() -> None:
    with started(Network(), _SERVER) as server, private_network() as network:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        assert not any(connects(network, address, port) for address in own_addresses())
        server.communicate("")


def as_user(folder: Path, **who: object) -> str:
    """What `_AS_USER` says, in a folder of that user's."""
    copy = folder / "module.py"
    copy.write_text(Path(module.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-c", _AS_USER, str(copy)]
    if "user" in who:  # the interpreter of the tests may lie in another's home
        command[0] = "/usr/bin/python3"
    ended = subprocess.run(
        command,
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        **who,  # type: ignore[call-overload]
    )
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout)


def interfaces(proc_net_dev: str) -> list[str]:
    return [line.partition(":")[0].strip() for line in proc_net_dev.splitlines() if ":" in line]


@needs_namespaces
def test_files_are_the_users_own(tmp_path: Path) -> None:
    assert interfaces(as_user(tmp_path)) == ["lo"]
    assert (tmp_path / "file").read_text() == f"{os.getuid()}\n"
    assert (tmp_path / "file").stat().st_uid == os.getuid()


def drop_the_right_to_make_networks() -> None:
    drop_from_bounding_set = 24
    assert ctypes.CDLL(None).prctl(drop_from_bounding_set, _CAP_SYS_ADMIN, 0, 0, 0) == 0


@needs_namespaces
@pytest.mark.skipif(os.getuid() != 0, reason="only root has rights to drop")
def test_root_of_a_container_keeps_his_files_and_those_of_others(tmp_path: Path) -> None:
    os.chown(tmp_path, 65_534, 65_534)
    tmp_path.chmod(0o700)
    said = as_user(tmp_path, preexec_fn=drop_the_right_to_make_networks)
    assert interfaces(said) == ["lo"]
    assert (tmp_path / "file").stat().st_uid == 0


@needs_namespaces
@pytest.mark.skipif(
    os.getuid() != 0 or not Path("/usr/bin/python3").exists(), reason="only root can be another"
)
def test_a_user_without_rights_has_one_too() -> None:
    # pytest's folders are their owner's alone.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        os.chown(name, 65_534, 65_534)
        said = as_user(Path(name), user=65_534, group=65_534, extra_groups=[])
        assert interfaces(said) == ["lo"]
        assert Path(name, "file").read_text() == "65534\n"
        assert Path(name, "file").stat().st_uid == 65_534


def test_a_kernel_that_refuses_is_an_error_with_its_reason(tmp_path: Path) -> None:
    code = "import runpy, sys; next(runpy.run_path(sys.argv[1])['private_network']().gen)"
    command = networks.refusing([sys.executable, "-c", code, module.__file__])
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1] == (
        "PermissionError: [Errno 1] unshare: Operation not permitted"
    )


def test_another_system_than_linux_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match="darwin has no network namespaces") as caught:
        private_network().__enter__()
    assert caught.value.errno == errno.ENOSYS
