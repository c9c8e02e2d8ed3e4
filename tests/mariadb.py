"""A MariaDB of Debian's packages on a socket of its own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

USER = "skipgram"
PASSWORD = "no-words-for-it"
_START_SECONDS = 120
# Where Debian has the server; an ordinary user's PATH lacks it.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_INSTALL, _SERVER, _CLIENT = (
    shutil.which(name, path=_PATH) for name in ("mariadb-install-db", "mariadbd", "mariadb")
)


class Server(NamedTuple):
    """May be used by USER with PASSWORD, who has all rights on databases named skipgram..."""

    socket: Path

    def query(self, statement: str, user: str = "root", password: str = "") -> str:
        """What the server answers, a line a row."""
        assert _CLIENT is not None
        return subprocess.run(
            [_CLIENT, "--no-defaults", f"--socket={self.socket}", f"--user={user}",
             "--skip-column-names", "--execute", statement],
            env={**os.environ, "MYSQL_PWD": password},
            capture_output=True,
            text=True,
            check=True,
        ).stdout  # fmt: skip

    def settings(self, database: str) -> list[str]:
        """What `--set` takes to note runs in a database of this server."""
        return ["metadata.type=mysql", f"metadata.socket={self.socket}",
                f"metadata.database={database}"]  # fmt: skip


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Starts a server with nothing in it; at the end it is stopped and its folder removed."""
    if _INSTALL is None or _SERVER is None or _CLIENT is None:
        pytest.skip("no mariadbd: apt-get install mariadb-server-core mariadb-client-core")
    # Not pytest's own folder: the path of a socket may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="mariadb-") as name:
        folder = Path(name)
        common = ["--no-defaults", f"--datadir={folder / 'data'}"]
        if os.geteuid() == 0:
            common.append("--user=root")
        with (folder / "log").open("wb") as log:
            made = subprocess.run(
                [_INSTALL, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
                stdout=log, stderr=log, check=False,
            )  # fmt: skip
            assert made.returncode == 0, (folder / "log").read_text()
            (folder / "init.sql").write_text(
                f"create user {USER} identified by '{PASSWORD}';\n"
                f"grant all on `{USER}%`.* to {USER};\n"
            )
            server = Server(folder / "socket")
            process = subprocess.Popen(
                [_SERVER, *common, "--skip-networking", f"--socket={server.socket}",
                 f"--init-file={folder / 'init.sql'}"],
                stdout=log, stderr=log,
            )  # fmt: skip
            try:
                _wait(server, process, folder / "log")
                yield server
            finally:
                process.terminate()
                process.wait()


def _wait(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(subprocess.CalledProcessError):
            server.query("select 1")
            return
        time.sleep(0.05)
