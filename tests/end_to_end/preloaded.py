"""What the commands of tests find done: each of these takes a second or two in each process."""

import sklearn.manifold  # noqa: F401  the map of a report

from pipeline.results.report import vega
from trainer_module.text import unicode_tables

unicode_tables.prepare("unicode_words", "nfc")
vega.javascript()
