"""A Cloud Storage of the tests' own: nothing leaves this machine, and clients are as they are.

TensorFlow's client has Google's hosts written into it and wants TLS. So the emulator is a proxy on
loopback: where a client asks it for a connection to one of these hosts, it is that host, with a
certificate of its own. It lets nobody through to anywhere else, and remembers who was asked for.
"""

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.gcs import api, certificates
from tests.gcs.store import Store

# What google-auth and TensorFlow know as a user who has logged in.
_CREDENTIALS = {
    "type": "authorized_user",
    "client_id": "test",
    "client_secret": "test",
    "refresh_token": "test",
    "quota_project_id": "test",
}


class Emulator(NamedTuple):
    """A running emulator."""

    store: Store
    environment: dict[str, str]  # of a process that is to find it
    foreign: list[str]  # other hosts that were asked for


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay
    answering: api.Api
    context: ssl.SSLContext
    foreign: list[str]

    def do_CONNECT(self) -> None:
        """Is from now on the host that the client wants."""
        host = self.path.partition(":")[0]
        if host not in api.HOSTS:
            self.foreign.append(host)
            self.send_error(403)
            return
        self.send_response(200)
        self.end_headers()
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", 1 << 16)
        self.close_connection = False

    def handle_expect_100(self) -> bool:
        """Says at once that a body may come: curl waits a second for it."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _body(self) -> bytes:
        # TensorFlow's uploads say both how long they are and that they come in chunks.
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailing headers
        return bytes(body)

    def _answer(self) -> None:
        body = self._body()
        headers = {name.title(): value for name, value in self.headers.items()}
        try:
            told = self.answering.answer(api.request(self.command, self.path, headers, body))
        except Exception as error:
            # Not 500: clients would try that again for minutes.
            told = api.Answer(501, {}, f"{self.command} {self.path}: {error!r}".encode())
        self.send_response_only(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        if told.status != 204:
            self.send_header("Content-Length", str(len(told.body)))
        self.end_headers()
        self.wfile.write(told.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815, http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def emulator(folder: Path, *buckets: str) -> Iterator[Emulator]:
    """Runs an emulator.

    Args:
      folder: for certificates and credentials.
      buckets: that there are.
    """
    authority, credentials = folder / "authority.pem", folder / "credentials.json"
    credentials.write_text(json.dumps(_CREDENTIALS), encoding="utf-8")
    store, foreign = Store(buckets), list[str]()
    handler = type(
        "Handler",
        (_Handler,),
        {
            "answering": api.Api(store),
            "context": certificates.server_context(api.HOSTS, authority, folder),
            "foreign": foreign,
        },
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    environment = {
        "https_proxy": f"http://127.0.0.1:{server.server_port}",
        "no_proxy": "127.0.0.1,localhost",  # such as other workers
        "CURL_CA_BUNDLE": str(authority),
        "REQUESTS_CA_BUNDLE": str(authority),
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "GOOGLE_CLOUD_PROJECT": "test",
        "NO_GCE_CHECK": "true",
    }
    try:
        yield Emulator(store, environment, foreign)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
