"""What the page says of the corpus."""

from pipeline.results.report.sections import corpus


def rows(result: dict[str, object], read: dict[str, int] | None) -> dict[str, str]:
    found = corpus.section(result, "graph.tsv", read, [], None)
    [listing] = [one for one in found.listings if one.title == "What was read"]
    return {what: number for what, number in listing.table.rows}


def test_of_a_graph_its_edges_and_nodes_are_told() -> None:
    counts = {"edges": 5429, "edges_held_out": 286, "nodes": 2708, "isolated_nodes": 36}
    expected = {
        "edges": "5,429",
        "edges held out": "286",
        "nodes": "2,708",
        "nodes without an edge to train on": "36",
    }
    assert rows({}, {**counts, "walks": 0}) == expected
    # When reading.json is gone, the summary knows them.
    assert rows({"read": counts}, None) == expected


def test_of_text_nothing_of_them() -> None:
    assert rows({"documents": 7}, {"files": 1}) == {"files": "1", "documents": "7"}


def test_copies_are_named_as_in_the_summary() -> None:
    of_text = {"documents_eval": 7, "copies_eval": 2}
    expected = {"documents held out": "7", "near-copies held out": "2"}
    assert rows({}, of_text) == expected
    of_edges = {**of_text, "edges": 9}
    assert rows({}, of_edges)["held-out edges that have copies"] == "2"
    assert rows({"read": {"pairs": 9}}, of_text)["held-out pairs that have copies"] == "2"
