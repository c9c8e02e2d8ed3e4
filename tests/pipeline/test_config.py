from pipeline import config
from pipeline.sections.corpus import CorpusConfig
from pipeline.sections.evaluation import EvaluatorConfig


class TestFields:
    def test_each_has_a_default_and_says_what_it_is(self):
        rows = list(config.fields())
        assert len({name for name, *_ in rows}) == len(rows) > 15
        for name, default, description in rows:
            assert default is not None or "none: " in description, name
            assert len(description) > 10, name

    def test_are_named_with_their_section(self):
        names = [name for name, *_ in config.fields()]
        assert names[:3] == ["seed", "corpus.files", "corpus.days"]
        assert "preprocessing.window" in names
        assert "trainer.objective" in names
        assert names[-1] == "deployment.fail_if_not_blessed"

    def test_have_these_defaults(self):
        defaults = {name: default for name, default, _ in config.fields()}
        assert defaults["trainer.objective"] == "nce"
        assert defaults["trainer.evaluations_per_epoch"] == 2
        assert defaults["trainer.patience"] is None
        assert defaults["preprocessing.subsample"] == 1e-4
        assert defaults["corpus.eval_fraction"] == 0.05


def test_as_dict_gives_what_json_can_hold():
    assert config.as_dict(EvaluatorConfig(max_increase=0.5)) == {
        "min_gain_over_unigram": 0.05,
        "compared_metric": "common_cross_entropy",
        "max_increase": 0.5,
        "allow_chance": False,
        "max_targets": 50_000,
        "min_neighbor_overlap": None,
        "max_token_loss": 0.5,
        "similarity": [],
        "analogies": [],
        "thresholds": [],
    }
    assert config.as_dict(CorpusConfig(files=("a", "b")))["files"] == ["a", "b"]
