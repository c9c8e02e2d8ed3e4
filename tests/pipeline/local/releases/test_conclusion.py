"""What is last blessed, what is served and what is exported after each of several nights."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.local.releases import blessings, conclusion
from pipeline.results.records import Blessing
from tests.pipeline.local.releases.nights import Night, Nights
from tests.pipeline.results.summaries import SUMMARY

A, B, C, D, E = (f"2026112{number}03000{number}" for number in range(1, 6))


def bless(nights: Nights, night: Night, now: str) -> None:
    noted = {"run": night.name, "by": "ann", "reason": "names are right"}
    blessings.bless(nights.store, nights.location, nights.output, night.model, noted)
    blessings.settle(nights.store, nights.location, nights.output, now)


def assert_all_is_of(nights: Nights, night: Night, version: str) -> None:
    """The gate's last blessed, the highest version and the vectors: one model's."""
    assert nights.last().model.id == night.model.id
    variables = Path(night.model.uri, "Format-Serving/variables/variables.data-00000-of-00001")
    assert nights.served() == (version, variables.read_bytes())
    noted, vectors = nights.exported()
    assert noted == {"run": night.name, "version": version}
    assert vectors.splitlines()[1].startswith(f"cat {int(night.name[-2:])}")


def test_one_night(nights: Nights) -> None:
    a = nights.run(A)
    assert_all_is_of(nights, a, A)
    assert a.outcome[:-1] == (A, "", A, None, None, None)


def test_a_second_night_is_compared_with_the_first(nights: Nights) -> None:
    nights.run(A)
    b = nights.run(B)
    assert_all_is_of(nights, b, B)
    assert (b.outcome.compared_with, b.outcome.version) == (A, B)


def test_a_withheld_night_changes_nothing(nights: Nights) -> None:
    a = nights.run(A)
    b = nights.run(B, passes=False)
    assert_all_is_of(nights, a, A)
    assert (b.outcome.version, b.outcome.blessed_by) == (A, None)


def test_the_first_night_withheld_serves_nothing(nights: Nights) -> None:
    a = nights.run(A, passes=False)
    assert a.outcome == (A, "", None, None, None, None, None)
    assert not nights.output.serving.exists()
    assert not nights.output.vectors.exists()


def test_the_same_night_again_is_nothing_new(nights: Nights) -> None:
    a = nights.run(A)
    again = nights.run(B, of=a)
    assert_all_is_of(nights, a, A)
    assert (again.outcome.model_of, again.outcome.version) == (A, A)


def test_an_old_verdict_out_of_the_cache_counts_as_of_now(nights: Nights) -> None:
    # Another corpus each night, by turns: the fourth night's all comes from the cache.
    a = nights.run(A)
    b = nights.run(B)
    nights.run(C, model=a.model)
    assert nights.served()[0] == C
    d = nights.run(D, of=b)
    assert_all_is_of(nights, b, D)
    assert (d.outcome.model_of, d.outcome.version) == (B, D)


def test_a_withheld_model_that_a_person_blesses_is_served_and_stays(nights: Nights) -> None:
    nights.run(A)
    b = nights.run(B, passes=False)
    bless(nights, b, B)
    assert_all_is_of(nights, b, B)  # the version has the run's own name
    again = nights.run(C, of=b, passes=False)
    assert_all_is_of(nights, b, B)
    assert again.outcome.blessed_by == nights.last().by_hand


def test_the_way_back_has_a_version_of_its_own_and_an_unchanged_night_leaves_it(
    nights: Nights,
) -> None:
    a = nights.run(A)
    b = nights.run(B)
    bless(nights, a, C)
    assert_all_is_of(nights, a, C)
    d = nights.run(D, of=b)
    assert_all_is_of(nights, a, C)
    assert d.outcome.replaced_by is not None
    assert (d.outcome.replaced_by.run, d.outcome.replaced_by.by) == (A, "ann")
    # What the gate judges anew is judged beside what the person chose.
    e = nights.run(E)
    assert e.outcome.compared_with == A
    assert_all_is_of(nights, e, E)


def test_what_was_killed_between_gate_and_pusher_is_served_by_the_next_run(nights: Nights) -> None:
    nights.run(A)
    b = nights.run(B, end=False)
    c = nights.run(C, passes=False)
    assert c.outcome.compared_with == B
    assert nights.last().model.id == b.model.id
    assert nights.served()[0] == C
    assert nights.exported()[0] == {"run": B, "version": C}


def test_what_is_missing_in_serving_is_restored_also_by_a_withheld_run(nights: Nights) -> None:
    a = nights.run(A)
    (nights.output.serving / A / "saved_model.pb").unlink()
    b = nights.run(B, passes=False)
    assert b.outcome.restored == nights.output.serving / A
    assert_all_is_of(nights, a, A)


def test_a_version_above_ours_is_left_alone(nights: Nights) -> None:
    nights.run(A)
    (nights.output.serving / "99999999999999").mkdir()
    nights.run(B, passes=False)
    assert nights.exported()[0]["version"] == A
    assert list((nights.output.serving / "99999999999999").iterdir()) == []


class TestFormats:
    def test_the_last_run_says_which_there_are(self, nights: Nights) -> None:
        a = nights.run(A)
        assert nights.formats() == {"word2vec"}
        b = nights.run(B, of=a, formats=["word2vec", "npy"])
        assert nights.formats() == {"word2vec", "npy"}
        assert (nights.output.vectors / "vectors.npy").exists()
        # Those of the first night, out of the cache, though others were written later.
        nights.run(C, of=a)
        assert nights.formats() == {"word2vec"}
        assert not (nights.output.vectors / "vectors.npy").exists()
        nights.run(D, of=b)
        assert nights.formats() == {"word2vec", "npy"}
        assert_all_is_of(nights, a, A)

    def test_what_a_person_blesses_has_those_of_the_last_run(self, nights: Nights) -> None:
        a = nights.run(A)
        nights.run(B, formats=["word2vec", "faiss", "vertex"])
        bless(nights, a, C)
        assert_all_is_of(nights, a, C)
        assert nights.formats() == {"word2vec", "faiss", "vertex"}

    def test_what_a_person_blesses_deletes_what_was_there_before(self, nights: Nights) -> None:
        a = nights.run(A)
        nights.run(B, formats=["word2vec", "vertex"], tokens=("cat", "whale"))
        assert not (nights.output.vectors / "vertex" / "delete").exists()
        bless(nights, a, C)
        gone = nights.output.vectors / "vertex" / "delete" / "gone.txt"
        assert gone.read_text() == "whale\n"

    def test_of_a_store_of_an_older_version_they_are_word2vecs(self, nights: Nights) -> None:
        nights.run(A, formats=["word2vec", "npy"])
        b = nights.run(B, passes=False)
        with sqlite3.connect(nights.output.metadata) as store:
            store.execute("delete from ExecutionProperty where name in ('formats', 'min_recall')")
        bless(nights, b, C)
        assert nights.formats() == {"word2vec"}


@pytest.mark.parametrize("names", [(A, B), (B, A)])
def test_a_model_is_named_by_the_first_run_that_ended_with_it(nights: Nights, names) -> None:
    killed, ended = names
    night = nights.run(killed, end=False)
    nights._push(killed, night.outputs)
    again = nights.run(ended, of=night)
    assert again.outcome.model_of == ended


class TestSummary:
    def concluded(self, nights: Nights, night: Night, blessed: bool):
        why = None if blessed else "the gate says no"
        summary = replace(
            SUMMARY, run=night.name, blessed=blessed, why_not_blessed=why, verdict=why or "yes"
        )
        name = nights.location.pipeline_name
        return conclusion.with_outcome(summary, night.outcome, nights.store, name)

    def test_of_the_gates_verdict(self, nights):
        nights.run(A)
        summary = self.concluded(nights, nights.run(B), blessed=True)
        assert (summary.verdict, summary.version, summary.is_new_version) == ("yes", B, True)
        assert summary.last_blessed == {"run": A, "documents": 1}
        assert summary.as_json()["last_blessed"] == {"run": A, "documents": 1}

    def test_has_what_was_exported_of_its_model(self, nights):
        a = nights.run(A, formats=["word2vec", "npy"])
        exports = self.concluded(nights, a, blessed=True).as_json()["exports"]
        assert list(exports) == ["word2vec", "npy"]
        assert exports["npy"] == {"files": ["tokens.txt", "vectors.npy"]}
        withheld = nights.run(B, passes=False)
        assert "exports" not in self.concluded(nights, withheld, blessed=False).as_json()
        again = nights.run(C, of=a)
        assert self.concluded(nights, again, blessed=True).exports == exports

    def test_of_a_blessing_by_hand(self, nights):
        nights.run(A)
        b = nights.run(B, passes=False)
        bless(nights, b, B)
        again = nights.run(C, of=b, passes=False)
        summary = self.concluded(nights, again, blessed=False)
        assert summary.blessed
        assert summary.why_not_blessed is None
        assert summary.verdict.startswith("the model was blessed by ann on 20")
        assert summary.verdict.endswith(": names are right")
        assert (summary.model_of, summary.is_new_version) == (B, False)

    def test_of_the_way_back(self, nights):
        a, b = nights.run(A), nights.run(B)
        bless(nights, a, C)
        summary = self.concluded(nights, nights.run(D, of=b), blessed=True)
        assert not summary.blessed
        assert summary.verdict == summary.why_not_blessed
        assert (
            f"it is that of run {B}, in whose place run {A} was blessed by ann" in summary.verdict
        )
        assert summary.verdict.endswith(f"; `skipgram bless {B}` brings it back")


def test_blessings_by_hand_are_listed_in_their_order(nights: Nights) -> None:
    a, b = nights.run(A), nights.run(B, passes=False)
    bless(nights, b, B)
    bless(nights, a, C)
    nights.run(D, of=b, passes=False)
    found = blessings.by_hand(nights.store, nights.location.pipeline_name)
    assert [(one.run, one.by, one.reason) for one in found] == [
        (B, "ann", "names are right"),
        (A, "ann", "names are right"),
    ]
    assert isinstance(found[0], Blessing)
