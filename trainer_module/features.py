"""Names of the features: the contract between the components."""

# TextExampleGen -> Transform: one document, UTF-8 bytes, [1].
TEXT = "text"

# Transform -> Trainer: one row a document, its pairs in the order of their targets.
TARGET = "target"  # int64 ids, [pairs of the document]
CONTEXT = "context"  # int64 ids, [pairs of the document]
NUM_TOKENS = "num_tokens"  # int64, []: all tokens of the document, also those left out

# The vocabulary file of Transform's output: `count token` lines by falling count; a token's id is
# the number of its line.
VOCABULARY = "vocabulary"
