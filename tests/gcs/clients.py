"""What clients do to the bucket `words`, each in a process of its own; see test_emulator.py.

`python -m tests.gcs.clients NAME` prints what they found, as JSON.
"""

import hashlib
import json
import sys
from typing import Any

# A thousand times, it is several MB with line ends, zeros and what looks like a boundary.
LARGE = bytes(range(256)) * 16 + b"\r\n--batch\r\n\n--\n"


def gfile() -> dict[str, Any]:
    """TensorFlow's."""
    import tensorflow as tf

    files, found = tf.io.gfile, {}
    with files.GFile("gs://words/a/text.txt", "w") as file:
        file.write("hello")
    with files.GFile("gs://words/a/text.txt", "a") as file:
        file.write(" you")
    found["text"] = files.GFile("gs://words/a/text.txt").read()
    with files.GFile("gs://words/a/deep/er/large", "wb") as file:
        file.write(LARGE * 1000)
    with files.GFile("gs://words/a/deep/er/large", "rb") as file:
        file.seek(5_000)
        found["part"] = list(file.read(3))
        file.seek(0)
        found["md5"] = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    found["length"] = files.stat("gs://words/a/deep/er/large").length
    files.makedirs("gs://words/made/here")
    found["folders"] = [
        files.isdir(f"gs://words/{name}") for name in ("a", "a/deep", "made", "a/text.txt", "b")
    ]
    found["listed"] = sorted(files.listdir("gs://words/a"))
    found["matched"] = files.glob("gs://words/a/*.txt") + files.glob("gs://words/b*")
    # As the analyzers of tensorflow_transform and our Transform put their files in place.
    files.makedirs("gs://words/tmp/1")
    files.copy("gs://words/a/text.txt", "gs://words/tmp/1/ein Wort")
    files.rename("gs://words/tmp/1", "gs://words/moved")
    files.remove("gs://words/a/text.txt")
    files.rmtree("gs://words/made")
    found["exist"] = [files.exists(f"gs://words/{name}") for name in ("a/text.txt", "made", "a")]
    try:
        files.GFile("gs://nowhere/text.txt").read()
    except tf.errors.NotFoundError:
        found["missing"] = "NotFoundError"
    return found


def beam() -> dict[str, Any]:
    """Beam's: its file systems, and sinks and sources in a pipeline."""
    import apache_beam as beam
    from apache_beam.io.filesystems import FileSystems

    found: dict[str, Any] = {}
    with FileSystems.create("gs://words/a/large") as file:
        file.write(LARGE * 5000)  # more than the 16 MB that Beam sends at once
    with FileSystems.open("gs://words/a/large") as file:
        found["md5"] = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    for name in ("b", "c/d"):
        with FileSystems.create(f"gs://words/a/{name}.txt") as file:
            file.write(b"123456789")
    found["checksum"] = FileSystems.checksum("gs://words/a/b.txt")
    FileSystems.rename(
        ["gs://words/a/b.txt", "gs://words/a/c/d.txt"],
        ["gs://words/moved/ein Wort", "gs://words/moved/d"],
    )
    FileSystems.copy(["gs://words/moved/d"], ["gs://words/copy"])
    FileSystems.delete(["gs://words/a/large"])
    found["exist"] = [FileSystems.exists(f"gs://words/{name}") for name in ("copy", "a/large")]
    [match] = FileSystems.match(["gs://words/moved/*"])
    found["matched"] = {one.path: one.size_in_bytes for one in match.metadata_list}
    arguments = ["--runner=FnApiRunner"]
    with beam.Pipeline(argv=arguments) as pipeline:
        _ = (
            pipeline
            | beam.Create([b"one", b"two"])
            | beam.io.WriteToTFRecord("gs://words/records/part", file_name_suffix=".gz")
        )
    with beam.Pipeline(argv=arguments) as pipeline:
        read = pipeline | beam.io.ReadFromTFRecord("gs://words/records/part*.gz")
        _ = (
            read
            | beam.combiners.ToList()
            | beam.Map(lambda some: b",".join(sorted(some)).decode())
            | beam.io.WriteToText("gs://words/read", shard_name_template="")
        )
    return found


if __name__ == "__main__":
    print(json.dumps({"gfile": gfile, "beam": beam}[sys.argv[1]]()))
