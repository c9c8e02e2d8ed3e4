"""Where the documents that are trained on come from: transformed files, or memory."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from trainer_module import features

_DOCUMENTS_AT_ONCE = 256  # enough that parsing is not felt, few enough that long ones fit memory


class Documents(Protocol):
    """Documents in one of the forms of features.py, in a fixed order."""

    def batches(self, num_shards: int, index: int) -> tf.data.Dataset:
        """Every `num_shards`-th document from `index` on, some hundred at a time.

        The order is the same at every call, so a restarted run can go on where it stopped.

        Args:
          num_shards: how many workers share the documents.
          index: which one of them asks, from 0.

        Returns:
          A dataset of mappings, as features.py describes them: `num_tokens`, `[batch]` int64, and
          `token_ids` and `window_sizes`, `[batch, (tokens)]` int64 with int64 row splits, and
          `document_hash`, `[batch]` int64; or `target` and `context`, `[batch, (pairs)]`.
        """


class TransformedFiles(NamedTuple):
    """What Transform wrote, in the order of the files' names and of the documents in them.

    ExampleGen has shuffled them.
    """

    files: Sequence[str]  # gzipped TFRecords
    feature_spec: Mapping[str, Any]  # as TFTransformOutput gives it

    def batches(self, num_shards: int, index: int) -> tf.data.Dataset:
        """See Documents."""
        return self._parsed(dict(self.feature_spec), num_shards, index)

    def _parsed(self, wanted: Mapping[str, Any], num_shards: int, index: int) -> tf.data.Dataset:
        return (
            tf.data.TFRecordDataset(sorted(self.files), compression_type="GZIP")
            .shard(num_shards, index)
            .batch(_DOCUMENTS_AT_ONCE)
            .map(lambda batch: tf.io.parse_example(batch, wanted), num_parallel_calls=2)
        )

    def digest(self) -> str:
        """Tells these documents from others, and from the same in another order.

        Not by the files' bytes: of the same documents Transform writes others in each process, as
        the features of an Example have no order. A document's hash stands for all that is drawn
        from it; pairs, which have none, are read themselves.

        Returns:
          Hexadecimal digits, which do not depend on where the files lie.
        """
        spec = dict(self.feature_spec)
        own = {k: v for k, v in spec.items() if k == features.DOCUMENT_HASH}
        digest = hashlib.sha256()
        for batch in self._parsed(own or spec, num_shards=1, index=0):
            for name in sorted(batch):
                for part in tf.nest.flatten(batch[name], expand_composites=True):
                    digest.update(part.numpy().tobytes())
        return digest.hexdigest()


class DocumentsInMemory(NamedTuple):
    """Documents that are tensors already, in their order."""

    # By the names of features.py, as `batches` gives them: `[documents]` or `[documents, (...)]`.
    tensors: Mapping[str, tf.Tensor | tf.RaggedTensor]

    @property
    def num_documents(self) -> int:
        """How many there are."""
        return int(self.tensors[features.NUM_TOKENS].shape[0])

    def batches(self, num_shards: int, index: int) -> tf.data.Dataset:
        """See Documents."""

        def taken(rows: tf.Tensor) -> dict[str, tf.Tensor | tf.RaggedTensor]:
            return {name: tf.gather(values, rows) for name, values in self.tensors.items()}

        return (
            tf.data.Dataset.range(self.num_documents)
            .shard(num_shards, index)
            .batch(_DOCUMENTS_AT_ONCE)
            .map(taken, num_parallel_calls=2)
        )
