"""What the launcher of Kubeflow Pipelines does with objects: DownloadBlob of its objectstore."""

import os
import posixpath
from pathlib import Path

from tests.gcs.store import Store


def download(store: Store, uri: str, to: Path) -> None:
    """Copies an artifact, one object or all below a folder, into a pod.

    Each object becomes a file. So one that is named as a folder becomes a file too, and what is
    below it then finds no folder.

    Args:
      store: where it is.
      uri: of the artifact.
      to: the path that its copy has.

    Raises:
      OSError: a file is where a folder is to be.
    """
    bucket, _, key = uri.removeprefix("gs://").partition("/")
    for name in store.names(bucket, key):
        if name == key or name.startswith(f"{key.rstrip('/')}/"):
            path = Path(os.path.normpath(to / posixpath.relpath(name, key)))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.get(bucket, name).content)
