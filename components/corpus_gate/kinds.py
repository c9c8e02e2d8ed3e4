"""Corpora of two kinds are not two nights of one. Light: commands ask before they import."""


def other_kind(kind: str, last_kind: str) -> str | None:
    """What is wrong and what to do, where the last blessed run's corpus was of another kind.

    >>> other_kind("edges", "edges")
    """
    if kind == last_kind:
        return None
    return (
        f"this corpus is of corpus.kind={kind}, and the last blessed run's was of "
        f"corpus.kind={last_kind}: give each kind an --output of its own"
    )
