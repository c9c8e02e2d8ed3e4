"""The one exception whose message is written for the person who runs the pipeline."""


class InputError(ValueError):
    """The corpus, the configuration or the machine does not allow the run to succeed.

    The message is one sentence: what was wrong, with which value, and what to do about it.
    """
