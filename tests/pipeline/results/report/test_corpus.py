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
