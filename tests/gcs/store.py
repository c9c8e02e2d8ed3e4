"""Objects in buckets, in memory, by the rules of Google Cloud Storage that clients rely on."""

import base64
import hashlib
import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import google_crc32c

# Of a listing without maxResults.
_PAGE = 1000


class RefusedError(Exception):
    """A request that GCS would answer with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Blob(NamedTuple):
    """An object: its content never changes, only which one has a name."""

    bucket: str
    name: str
    content: bytes
    generation: int
    updated: datetime
    content_type: str

    @property
    def hashes(self) -> dict[str, str]:
        """By the names of the header x-goog-hash."""
        digests = {
            "crc32c": google_crc32c.value(self.content).to_bytes(4, "big"),
            "md5": hashlib.md5(self.content, usedforsecurity=False).digest(),
        }
        return {name: base64.b64encode(digest).decode() for name, digest in digests.items()}

    def resource(self) -> dict[str, Any]:
        """The object without its content, as the JSON API describes it: 64-bit numbers are text."""
        updated = self.updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "bucket": self.bucket,
            "name": self.name,
            "size": str(len(self.content)),
            "generation": str(self.generation),
            "metageneration": "1",
            "contentType": self.content_type,
            "crc32c": self.hashes["crc32c"],
            "md5Hash": self.hashes["md5"],
            "timeCreated": updated,
            "updated": updated,
        }


class Listing(NamedTuple):
    """A page of a listing."""

    blobs: list[Blob]
    prefixes: list[str]
    next_page: str  # "" on the last


class Store:
    """Buckets. There are no folders; an object may be named as one, with a slash at its end."""

    def __init__(self, buckets: Sequence[str]) -> None:
        self._lock = threading.RLock()
        self._generations = itertools.count(1)
        self._buckets: dict[str, dict[str, Blob]] = {name: {} for name in buckets}
        self.forbidden: set[str] = set()  # buckets of others

    def require_bucket(self, bucket: str) -> None:
        """Checks that there is such a bucket."""
        self._of(bucket)

    def _of(self, bucket: str) -> dict[str, Blob]:
        if bucket not in self._buckets:
            raise RefusedError(404, f"The specified bucket does not exist: {bucket}")
        if bucket in self.forbidden:
            raise RefusedError(403, f"no access to the Google Cloud Storage bucket {bucket}")
        return self._buckets[bucket]

    def get(self, bucket: str, name: str) -> Blob:
        """An object; RefusedError where there is none."""
        with self._lock:
            blobs = self._of(bucket)
            if name not in blobs:
                raise RefusedError(404, f"No such object: {bucket}/{name}")
            return blobs[name]

    def put(
        self,
        bucket: str,
        name: str,
        content: bytes,
        content_type: str = "application/octet-stream",
        if_generation: int | None = None,
    ) -> Blob:
        """Gives a name to a new object.

        Args:
          bucket, name, content, content_type: of the object.
          if_generation: the generation that now has the name, 0 for none; else it is RefusedError.
        """
        with self._lock:
            blobs = self._of(bucket)
            self._require_generation(bucket, name, if_generation)
            now = datetime.now(UTC)
            blob = Blob(bucket, name, content, next(self._generations), now, content_type)
            blobs[name] = blob
            return blob

    def delete(self, bucket: str, name: str, if_generation: int | None = None) -> None:
        """Takes an object away; RefusedError where there is none, or another generation."""
        with self._lock:
            self.get(bucket, name)
            self._require_generation(bucket, name, if_generation)
            del self._of(bucket)[name]

    def _require_generation(self, bucket: str, name: str, wanted: int | None) -> None:
        blob = self._of(bucket).get(name)
        if wanted is not None and wanted != (blob.generation if blob else 0):
            raise RefusedError(412, f"{bucket}/{name} is of another generation than {wanted}")

    def listing(
        self, bucket: str, prefix: str = "", delimiter: str = "", page: str = "", most: int = 0
    ) -> Listing:
        """Lists objects in the order of their names' bytes.

        Args:
          bucket: whose.
          prefix: what names begin with.
          delimiter: names that hold it after the prefix are given up to it, once, as prefixes.
          page: where to go on, the next_page of another listing.
          most: how many names and prefixes a page has; 0 for what GCS gives.
        """
        with self._lock:
            names = sorted(self._of(bucket), key=str.encode)
            found: dict[str, Blob | None] = {}  # None: a prefix
            for name in names:
                if not name.startswith(prefix):
                    continue
                head, cut, _ = name[len(prefix) :].partition(delimiter or "\0")
                if delimiter and cut:
                    found[prefix + head + delimiter] = None
                else:
                    found[name] = self._of(bucket)[name]
        left = [(name, blob) for name, blob in found.items() if not page or name >= page]
        taken, rest = left[: most or _PAGE], left[most or _PAGE :]
        return Listing(
            [blob for _, blob in taken if blob],
            [name for name, blob in taken if not blob],
            rest[0][0] if rest else "",
        )

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """The names of all objects that begin with `prefix`, sorted."""
        with self._lock:
            return sorted(name for name in self._of(bucket) if name.startswith(prefix))
