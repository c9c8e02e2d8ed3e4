"""What the commands of tests find done: Unicode's tables take some two seconds in each process."""

from trainer_module.text import unicode_tables

unicode_tables.mapping("nfc", fold=True)
unicode_tables.compositions()
unicode_tables.marks()
unicode_tables.sigma_contexts()
unicode_tables.word_classes()
