"""What the commands of tests find done: Unicode's tables take most of a second in each process."""

from trainer_module.text import unicode_tables

unicode_tables.prepare("unicode_words", "nfc")
