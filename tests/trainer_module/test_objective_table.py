import subprocess
import sys

from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES, users


def test_every_field_that_a_row_names_exists() -> None:
    fields = set(TrainerHyperparameters.model_fields)
    for name, spec in OBJECTIVES.items():
        assert spec.uses <= fields, name
        assert set(spec.defaults) <= fields, name


def test_what_is_not_corrected_says_so_by_its_default() -> None:
    # Else the field's own default would correct it, and nobody could turn that off.
    for name, spec in OBJECTIVES.items():
        if spec.samples and "logq_correction" not in spec.uses:
            assert spec.defaults["logq_correction"] is False, name


def test_a_weight_and_the_correction_do_not_go_together() -> None:
    # The losses of a pair have the one or the other: docs of adding an objective say so.
    for name, spec in OBJECTIVES.items():
        if "logq_correction" in spec.uses:
            hyperparameters = TrainerHyperparameters(objective=name)
            assert spec.candidate_weight(hyperparameters, 64) == 1, name


def test_who_uses_a_field() -> None:
    assert users("num_negatives") == ["negative_sampling"]
    assert users("temperature") == ["softmax_cross_entropy"]
    assert users("logq_correction") == ["nce", "sampled_softmax", "softmax_cross_entropy"]
    assert users("dim") == []  # means something for all


def test_the_table_is_light() -> None:
    code = (
        "import sys, trainer_module.objective_table, trainer_module.hyperparameters;"
        "print(sorted({'tensorflow', 'numpy', 'tfx'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
