import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.embedding_evaluator.last_blessed_model import LastBlessedModelStrategy


def model(number: int, *, of: int = 0) -> types.Artifact:
    """One that was made of the Trainer's model `of`."""
    artifact = standard_artifacts.Model()
    artifact.id, artifact.uri = number, f"/models/{number}"
    artifact.set_string_custom_property("made_of", f"/models/{of}")
    return artifact


def blessing(
    number: int, *, of: int, beside: int = 0, blessed: bool = True, is_final: bool = True
) -> types.Artifact:
    """Of a model that was judged beside another, if by the Evaluator."""
    artifact = standard_artifacts.ModelBlessing()
    artifact.id = number
    artifact.set_int_custom_property("blessed", int(blessed))
    artifact.set_int_custom_property("current_model_id", of)
    if beside:
        artifact.set_int_custom_property("baseline_model_id", beside)
    if is_final:
        artifact.set_int_custom_property("final", 1)
    return artifact


def resolved(
    models: list[types.Artifact], blessings: list[types.Artifact], candidate: int = 9
) -> dict[str, list[int]]:
    """The ids that are found for a candidate, by key."""
    given = {
        "candidate": [model(candidate)],
        "model": models,
        "model_blessing": blessings,
    }
    found = LastBlessedModelStrategy().resolve_artifacts(None, given)
    assert found is not None
    return {key: [artifact.id for artifact in artifacts] for key, artifacts in found.items()}


NONE = {"candidate": [9], "model": [], "model_blessing": []}


def test_the_first_model_has_none_to_be_held_against():
    assert resolved([], []) == NONE
    assert resolved([model(9)], []) == NONE


def test_the_blessed_model_is_found_with_its_blessing():
    found = resolved([model(1), model(2), model(9)], [blessing(5, of=2)])
    assert found == {"candidate": [9], "model": [2], "model_blessing": [5]}


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_blessing_wins_not_the_last_model(order):
    blessings = [blessing(5, of=2), blessing(6, of=1), blessing(4, of=3)]
    found = resolved([model(1), model(2), model(3)], blessings[::order])
    assert found == {"candidate": [9], "model": [1], "model_blessing": [6]}


def test_a_model_that_was_not_blessed_is_left_out():
    blessings = [blessing(5, of=1), blessing(6, of=2, blessed=False)]
    found = resolved([model(1), model(2)], blessings)
    assert found == {"candidate": [9], "model": [1], "model_blessing": [5]}


def test_a_model_that_one_judge_blessed_and_a_later_one_withheld_is_left_out():
    blessings = [
        *(blessing(5, of=1, is_final=False), blessing(6, of=1)),
        *(blessing(7, of=2, is_final=False), blessing(8, of=2, blessed=False)),
    ]
    found = resolved([model(1), model(2)], blessings)
    assert found == {"candidate": [9], "model": [1], "model_blessing": [6]}


def test_the_candidate_is_not_held_against_itself():
    # 10 is what became of the candidate, the Trainer's model 9, when it was run before.
    models = [model(1, of=8), model(10, of=9), model(9)]
    blessings = [blessing(5, of=1), blessing(6, of=10, beside=1)]
    assert resolved(models, blessings) == {
        "candidate": [9],
        "model": [1],
        "model_blessing": [5],
    }
    assert resolved([model(10, of=9), model(9)], [blessing(6, of=10)]) == NONE


def test_what_somebody_went_back_to_stays_beside_what_it_was_judged_beside():
    # 10 was made of the candidate and judged beside 1; then came 2; then a person blessed 10.
    models = [model(1, of=7), model(10, of=9), model(2, of=8), model(9)]
    judged = [blessing(4, of=1), blessing(5, of=10, beside=1, is_final=False), blessing(6, of=10)]
    since = [blessing(7, of=2, beside=10), blessing(8, of=10)]
    assert resolved(models, judged + since)["model"] == [1]
    # Where it was the first it stays without one; where what it was beside is gone, all others may.
    assert resolved(models, [blessing(6, of=10), *since]) == NONE
    assert resolved(models[1:], judged + since)["model"] == [2]
    # It is judged anew beside 2 as long as 2 is the last one.
    assert resolved(models, judged + since[:1])["model"] == [2]


def test_a_blessing_whose_model_is_gone_is_left_out():
    assert resolved([model(1)], [blessing(5, of=7)]) == NONE
