"""The words themselves: their neighbours, and what moved since the last blessed model."""

from collections.abc import Iterator, Mapping, Sequence

from components.embedding_comparison.comparison import Comparison, MovedToken
from pipeline.results.embeddings import Embeddings
from pipeline.results.report import charts
from pipeline.results.report.contents import Chart, Listing, Section, Table, Terms, share, whole

_SHOWN_WORDS = 16
_SHOWN_NEIGHBORS = 8
_SHOWN_LAST_NEIGHBORS = 6


def neighbors(vectors: Embeddings, terms: Terms) -> Section:
    """Those of a few frequent tokens."""
    rows = [
        (word, ", ".join(found.token for found in vectors.neighbors(word, _SHOWN_NEIGHBORS)))
        for word in vectors.frequent_words(_SHOWN_WORDS)
    ]
    intro = f"The nearest of {whole(len(vectors))} tokens by the cosine of their vectors."
    table = Table((terms.token, "nearest neighbours"), rows)
    listings = [Listing(f"Of frequent {terms.tokens}", table)] if rows else []
    return Section("neighbors", "Neighbours", intro, listings=listings)


def moved(found: Comparison) -> Section:
    """Since the last blessed model."""
    intro = (
        f"Of {whole(found.vocabulary_size)} tokens {whole(found.common_tokens)} were known to the "
        f"last blessed model, {whole(found.new_tokens)} are new and {whole(found.gone_tokens)} "
        "are gone."
    )
    if found.neighbor_overlap is not None:
        intro += f" {share(found.neighbor_overlap)} of the nearest neighbours are as before"
        intro += (
            f", and the mean cosine of a token's vectors then and now is {found.mean_cosine:.3f}."
            if found.mean_cosine is not None
            else "."
        )
    bands = found.neighbor_overlap_by_band or {}
    return Section(
        "moved", "What moved", intro, [*_by_band(bands)], [*_moved_most(found), *_came(found)]
    )


def _by_band(bands: Mapping[str, float]) -> Iterator[Chart]:
    if not bands:
        return
    values = [{"band": band, "overlap": overlap} for band, overlap in bands.items()]
    category = charts.names("band", "rank of the token")
    spec = charts.bars(values, category, charts.quantity("overlap", "share", ".0%"))
    said = ", ".join(f"{share(overlap)} for rank {band}" for band, overlap in bands.items())
    rows = [(band, share(overlap)) for band, overlap in bands.items()]
    table = Table(("rank of the token", "neighbours as before"), rows)
    yield Chart("moved-by-band", "Neighbours that stayed", f"As before: {said}.", spec, table)


def _moved_most(found: Comparison) -> Iterator[Listing]:
    if not found.moved_most:
        return
    in_space = found.mean_cosine is not None
    rows = [_moved_row(one) for one in found.moved_most]
    measure = "cosine" if in_space else "overlap"
    table = Table(("token", measure, "neighbours now", "neighbours then"), rows)
    yield Listing("Moved most, of frequent tokens", table)


def _moved_row(one: MovedToken) -> Sequence[str]:
    measure = one.neighbor_overlap if one.cosine is None else one.cosine
    now, then = (
        ", ".join(tokens[:_SHOWN_LAST_NEIGHBORS]) for tokens in (one.neighbors, one.last_neighbors)
    )
    return (one.token, f"{measure:.2f}", now, then)


def _came(found: Comparison) -> Iterator[Listing]:
    for title, tokens in (
        ("Most frequent of the new", found.most_frequent_new),
        ("Most frequent of those that are gone", found.most_frequent_gone),
    ):
        if tokens:
            yield Listing(title, Table(("tokens",), [(", ".join(tokens),)]), is_folded=True)
