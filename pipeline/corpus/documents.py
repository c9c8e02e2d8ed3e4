"""The documents of files, read in this process."""

from collections.abc import Iterator, Sequence

from components.text_example_gen import reading
from components.text_example_gen.account import ReadingCounts
from pipeline.corpus.patterns import matched_files, resolve
from pipeline.sections.corpus import CorpusConfig


def read_documents(names: Sequence[str], corpus: CorpusConfig | None = None) -> Iterator[str]:
    """Yields the documents of local files of text as TextExampleGen does, in the files' order.

    Args:
      names: files, folders and globs.
      corpus: columns and max_document_bytes; None for the defaults.

    Raises:
      InputError: a name stands for nothing, or a file is damaged or not text.
    """
    options = (corpus or CorpusConfig()).options(seed=0)
    for path in matched_files(resolve(names)):
        with path.open("rb") as file:
            for document in reading.read_documents(file, str(path), options, ReadingCounts()):
                yield document.decode()
