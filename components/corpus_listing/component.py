"""Looks at the files of the corpus, so that a cluster's cache sees a file that has changed.

On this machine the driver of TextExampleGen does it. A cluster asks its cache before it runs
anything of ours, and that cache knows the parameters of a node and not what they name. So this
node, which is never answered out of the cache, gives TextExampleGen one more parameter.
"""

import os

from components.text_example_gen import content, files, matching
from components.tfx_api import OutputArtifact, Parameter, component, fileio, standard_artifacts


@component
def CorpusListing(  # noqa: N802
    root: Parameter[str],
    patterns: Parameter[str],
    fingerprint: OutputArtifact[standard_artifacts.String],
) -> None:
    """Makes the fingerprint of the files that TextExampleGen will read.

    Of an object store it asks names, sizes and checksums, and reads no file.

    Args:
      root: the folder in which the patterns are looked for.
      patterns: globs below it, with newlines between them.
      fingerprint: see content.fingerprint; the file at its URI, and the node's output parameter.

    Raises:
      InputError: a pattern matches nothing, or a file whose ending is not known.
    """
    paths = matching.matching_files(root, patterns)
    if not files.is_remote(fingerprint.uri):
        fileio.makedirs(os.path.dirname(fingerprint.uri))
    # Nobody keeps what a node remembers, so there is no record.
    fingerprint.value = content.fingerprint(paths, record=None)
