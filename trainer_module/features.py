"""Names of the features: the contract between the components."""

# TextExampleGen -> Transform: one document, UTF-8 bytes, [1].
TEXT = "text"

# Transform -> Trainer: one row a document, its pairs by their targets: each target, in the order of
# the text, with its window. The contexts of a target are the targets of its row that stand at most
# its window away (skip_grams.pairs writes them out). A fifth of the bytes of pairs written out, and
# the Trainer takes whole windows at a time.
TARGET = "target"  # int64 ids, [targets of the document]
WINDOW = "window"  # int64, at least 1, [targets of the document]
NUM_TOKENS = "num_tokens"  # int64, []: all tokens of the document, also those left out

# The vocabulary file of Transform's output: `count token` lines by falling count; a token's id is
# the number of its line.
VOCABULARY = "vocabulary"
