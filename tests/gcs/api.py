"""What Google's hosts of Cloud Storage answer: the requests of TensorFlow, Beam and gfile."""

import json
import re
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from tests.gcs.store import RefusedError, Store

HOSTS = ("storage.googleapis.com", "www.googleapis.com", "oauth2.googleapis.com")
_BINARY = "application/octet-stream"
_OBJECT = r"/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)"
# The first that fits is taken.
_PATHS = {
    "token": r"/token|/oauth2/v[34]/token",
    "batch": r"/batch/storage/v1",
    "bucket": r"/storage/v1/b/(?P<bucket>[^/]+)",
    "layout": r"/storage/v1/b/(?P<bucket>[^/]+)/storageLayout",
    "objects": r"/storage/v1/b/(?P<bucket>[^/]+)/o/?",
    "object": rf"(/download)?/storage/v1{_OBJECT}",
    "copy": rf"/storage/v1{_OBJECT}/(rewriteTo|copyTo)/b/(?P<to_bucket>[^/]+)/o/(?P<to>[^/]+)",
    "compose": rf"/storage/v1{_OBJECT}/compose",
    "upload": r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o/?",
    "content": r"/(?P<bucket>[^/]+)/(?P<name>.+)",  # of the XML API
}


class Request(NamedTuple):
    """What a client asks for."""

    method: str
    path: str  # escaped, without its query
    query: Mapping[str, str]
    headers: Mapping[str, str]  # their names as str.title gives them
    body: bytes
    named: Mapping[str, str] = {}  # parts of the path, unescaped

    @property
    def generation(self) -> int | None:
        """The one that an object must have, 0 for none at all."""
        wanted = self.query.get("ifGenerationMatch")
        return None if wanted is None else int(wanted)


def request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    """A request of a path with its query, or of a whole URL."""
    split = urllib.parse.urlsplit(target)
    query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
    return Request(method, split.path, query, headers, body)


class Answer(NamedTuple):
    """What a client is told."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class _Upload(NamedTuple):
    """A resumable upload that has begun."""

    begun_by: Request
    name: str
    content_type: str
    received: bytearray


def _json(content: object, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


def _error(refused: RefusedError) -> Answer:
    error = {"code": refused.status, "message": str(refused), "errors": []}
    return _json({"error": error}, refused.status)


class Api:
    """Answers requests out of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._uploads: dict[str, _Upload] = {}

    def answer(self, asked: Request) -> Answer:
        """What GCS would say; errors too."""
        for kind, pattern in _PATHS.items():
            if match := re.fullmatch(pattern, asked.path):
                named = {key: urllib.parse.unquote(part) for key, part in match.groupdict().items()}
                try:
                    answer: Answer = getattr(self, f"_{kind}")(asked._replace(named=named))
                except RefusedError as refused:
                    return _error(refused)
                return answer
        return _error(RefusedError(404, f"no such path: {asked.path}"))

    def _token(self, asked: Request) -> Answer:
        del asked
        return _json({"access_token": "of-a-test", "token_type": "Bearer", "expires_in": 3600})

    def _bucket(self, asked: Request) -> Answer:
        self._store.require_bucket(asked.named["bucket"])
        return _json({"kind": "storage#bucket", "name": asked.named["bucket"], "location": "US"})

    def _layout(self, asked: Request) -> Answer:
        """Asked before a rename: a bucket with folders of its own has a call for it."""
        self._store.require_bucket(asked.named["bucket"])
        return _json({"hierarchicalNamespace": {"enabled": False}})

    def _objects(self, asked: Request) -> Answer:
        listing = self._store.listing(
            asked.named["bucket"],
            asked.query.get("prefix", ""),
            asked.query.get("delimiter", ""),
            asked.query.get("pageToken", ""),
            int(asked.query.get("maxResults") or 0),
        )
        content = {
            "items": [blob.resource() for blob in listing.blobs],
            "prefixes": listing.prefixes,
            "nextPageToken": listing.next_page,
        }
        # GCS leaves out what is empty.
        return _json({name: value for name, value in content.items() if value})

    def _object(self, asked: Request) -> Answer:
        if asked.method == "DELETE":
            self._store.delete(asked.named["bucket"], asked.named["name"], asked.generation)
            return Answer(204, {})
        if asked.query.get("alt") == "media":
            return self._content(asked)
        return _json(self._store.get(asked.named["bucket"], asked.named["name"]).resource())

    def _content(self, asked: Request) -> Answer:
        blob = self._store.get(asked.named["bucket"], asked.named["name"])
        headers = {
            "Content-Type": blob.content_type,
            "X-Goog-Generation": str(blob.generation),
            "X-Goog-Hash": ",".join(f"{kind}={value}" for kind, value in blob.hashes.items()),
        }
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("Range", ""))
        if not part:
            return Answer(200, headers, blob.content)
        first, size = int(part[1]), len(blob.content)
        if first >= size:
            raise RefusedError(416, f"{size} bytes have no byte {first}")
        last = min(int(part[2] or size), size - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return Answer(206, headers, blob.content[first : last + 1])

    def _copy(self, asked: Request) -> Answer:
        named = asked.named
        blob = self._store.get(named["bucket"], named["name"])
        made = self._store.put(
            named["to_bucket"], named["to"], blob.content, blob.content_type, asked.generation
        )
        if "/copyTo/" in asked.path:
            return _json(made.resource())
        size = str(len(blob.content))
        sizes = {"objectSize": size, "totalBytesRewritten": size}
        return _json({"done": True, **sizes, "resource": made.resource()})

    def _compose(self, asked: Request) -> Answer:
        bucket = asked.named["bucket"]
        sources = [one["name"] for one in json.loads(asked.body)["sourceObjects"]]
        content = b"".join(self._store.get(bucket, name).content for name in sources)
        made = self._store.put(bucket, asked.named["name"], content, _BINARY, asked.generation)
        return _json(made.resource())

    def _upload(self, asked: Request) -> Answer:
        if upload_id := asked.query.get("upload_id"):
            return self._go_on(asked, upload_id)
        bucket, kind = asked.named["bucket"], asked.query["uploadType"]
        metadata, content, content_type = _parts(asked)
        name = asked.query.get("name") or metadata["name"]
        if kind != "resumable":
            made = self._store.put(bucket, name, content, content_type, asked.generation)
            return _json(made.resource())
        self._store.require_bucket(bucket)
        upload_id = uuid.uuid4().hex
        self._uploads[upload_id] = _Upload(asked, name, content_type, bytearray())
        place = f"https://{HOSTS[1]}{asked.path}?uploadType=resumable&upload_id={upload_id}"
        return Answer(200, {"Location": place})

    def _go_on(self, asked: Request, upload_id: str) -> Answer:
        """Takes a part of a resumable upload, or says how much of it has come."""
        if upload_id not in self._uploads:
            raise RefusedError(410, "no such upload")
        upload = self._uploads[upload_id]
        given = asked.headers.get("Content-Range", f"bytes 0-/{len(asked.body)}")
        part = re.fullmatch(r"bytes (?:(\d+)-\d*|\*)/(\d+|\*)", given)
        if not part:
            raise RefusedError(400, f"no such Content-Range: {given}")
        if part[1]:
            if int(part[1]) > len(upload.received):
                raise RefusedError(503, f"{given} leaves a gap after {len(upload.received)} bytes")
            del upload.received[int(part[1]) :]
        upload.received.extend(asked.body)
        if part[2] != str(len(upload.received)):
            came = {"Range": f"bytes=0-{len(upload.received) - 1}"} if upload.received else {}
            return Answer(308, came)
        content = bytes(self._uploads.pop(upload_id).received)
        bucket, generation = upload.begun_by.named["bucket"], upload.begun_by.generation
        made = self._store.put(bucket, upload.name, content, upload.content_type, generation)
        return _json(made.resource())

    def _batch(self, asked: Request) -> Answer:
        """Several requests in one."""
        answers = []
        for _, content in _multipart(asked):
            line, rest = content.split(b"\n", maxsplit=1)
            method, target, *_ = line.decode().split()
            one = self.answer(request(method, target, *_message(rest)))
            about = {"Content-Length": str(len(one.body)), **one.headers}
            lines = [
                "--batch",
                "Content-Type: application/http",
                "",
                f"HTTP/1.1 {one.status} {HTTPStatus(one.status).phrase}",
                *(f"{name}: {value}" for name, value in about.items()),
                "",
                "",
            ]
            answers.append("\r\n".join(lines).encode() + one.body + b"\r\n")
        body = b"".join(answers) + b"--batch--\r\n"
        return Answer(200, {"Content-Type": "multipart/mixed; boundary=batch"}, body)


def _parts(asked: Request) -> tuple[dict[str, Any], bytes, str]:
    """What an upload says of its object, its content, and the type of this."""
    kind = asked.query["uploadType"]
    if kind == "media":
        return {}, asked.body, asked.headers.get("Content-Type", _BINARY)
    if kind == "resumable":
        metadata = json.loads(asked.body or b"{}")
        return metadata, b"", metadata.get("contentType", _BINARY)
    (_, metadata), (headers, content) = _multipart(asked)
    return json.loads(metadata), content, headers.get("Content-Type", _BINARY)


def _multipart(asked: Request) -> Iterator[tuple[Mapping[str, str], bytes]]:
    """The parts of a body, each with its headers by their names as str.title gives them."""
    found = re.search(r'boundary="?([^";]+)', asked.headers["Content-Type"])
    assert found, asked.headers["Content-Type"]
    # Some clients end lines as HTTP does, some as Python does.
    boundary = rb"(?:^|\r?\n)--" + re.escape(found[1].encode())
    for part in re.split(boundary, asked.body)[1:-1]:
        yield _message(part.lstrip(b"\r\n"))


def _message(content: bytes) -> tuple[Mapping[str, str], bytes]:
    head, *body = re.split(rb"\r?\n\r?\n", content, maxsplit=1)
    lines = (line.partition(":") for line in head.decode().splitlines())
    return {name.title(): value.strip() for name, _, value in lines}, b"".join(body)
