"""Names of the features: the contract between the components."""

# TextExampleGen -> Transform: one document, UTF-8 bytes, [1].
TEXT = "text"

# Transform -> Trainer: one row a document, its pairs in their shortest form: each token of the
# vocabulary, in the order of the text, with its window. A window of 0 says that subsampling left
# the token out. The others are targets; the contexts of a target are the targets of its row that
# stand at most its window away (skip_grams.pairs writes them out). A third of the bytes of pairs
# written out; the Trainer takes whole windows at a time, and draws later epochs' own from the same
# tokens.
TARGET = "target"  # int64 ids, [tokens of the document]
WINDOW = "window"  # int64, [tokens of the document]
NUM_TOKENS = "num_tokens"  # int64, []: all tokens of the document, also those left out

# The vocabulary file of Transform's output: `count token` lines by falling count; a token's id is
# the number of its line.
VOCABULARY = "vocabulary"
