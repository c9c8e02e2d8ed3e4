"""The exceptions whose messages are written for the person who runs the pipeline."""


class InputError(ValueError):
    """The corpus, the configuration or the machine does not allow the run to succeed.

    The message is one sentence: what was wrong, with which value, and what to do about it.
    """


class WithheldError(InputError):
    """The run could go on, and must not: what came in tonight is not like what is served.

    To give the same command again changes nothing; a person has to look.
    """
