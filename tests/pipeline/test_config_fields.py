"""What the sections allow: the objectives' defaults, fields that fit together, the metadata."""

import json

import pytest

from pipeline import config, config_file
from tests.pipeline.test_config_file import sentence
from trainer_module.hyperparameters import TrainerHyperparameters

WORD2VEC = ("negative_sampling", "sigmoid_cross_entropy", "softmax_cross_entropy")
SAMPLED = ("nce", "sampled_softmax", *WORD2VEC)
OBJECTIVES = (*SAMPLED, "full_softmax", "full_sigmoid")


def of_objective(name: str, *settings: str) -> TrainerHyperparameters:
    return config_file.load(settings=[f"trainer.objective={name}", *settings]).trainer


class TestDefaultsOfAnObjective:
    def test_are_those_of_the_fields_for_nce(self):
        assert of_objective("nce") == TrainerHyperparameters() == config.Config().trainer

    def test_remove_hits_for_sampled_softmax(self):
        changed = {"objective": "sampled_softmax", "remove_accidental_hits": True}
        assert of_objective("sampled_softmax") == TrainerHyperparameters(**changed)
        assert not of_objective("nce").remove_accidental_hits

    @pytest.mark.parametrize("name", WORD2VEC)
    def test_are_word2vecs_for_what_is_not_corrected(self, name):
        found = of_objective(name)
        assert (found.sampler, found.sampler_power, found.replacement) == ("unigram", 0.75, True)
        assert (found.num_sampled, found.num_negatives) == (64, 5)
        assert not found.logq_correction
        assert found.bias_initializer == "none"
        assert found.batch_size == 512
        assert found.epochs == TrainerHyperparameters().epochs

    @pytest.mark.parametrize("name", SAMPLED)
    def test_give_way_to_what_is_given(self, name):
        given = of_objective(name, "trainer.num_sampled=7", "trainer.sampler=uniform")
        changed = {"num_sampled": 7, "sampler": "uniform"}
        assert given == of_objective(name).model_copy(update=changed)

    def test_are_taken_from_a_file_too(self, yaml_file):
        path = yaml_file("trainer: {objective: negative_sampling, dim: 3}")
        assert config_file.load(path).trainer == of_objective("negative_sampling", "trainer.dim=3")

    def test_follow_the_objective_of_set_above_a_file(self, yaml_file):
        path = yaml_file("trainer: {objective: negative_sampling, dim: 3}")
        loaded = config_file.load(path, ["trainer.objective=nce"]).trainer
        assert loaded == of_objective("nce", "trainer.dim=3")

    @pytest.mark.parametrize("name", OBJECTIVES)
    def test_stay_when_a_section_is_passed_on_by_tfx(self, name):
        found = of_objective(name)
        passed_on = json.loads(json.dumps(config.as_dict(found)))
        assert TrainerHyperparameters(**passed_on) == found


class TestFieldsThatDoNotFitTogether:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            (
                ["objective=negative_sampling", "logq_correction=true"],
                "in trainer, logq_correction = true is not for negative_sampling: with it that is "
                "nce; set objective to nce or logq_correction to false",
            ),
            (
                ["objective=sigmoid_cross_entropy", "logq_correction=true"],
                "in trainer, logq_correction = true is not for sigmoid_cross_entropy: with it that "
                "is nce; set objective to nce or logq_correction to false",
            ),
            (
                ["negatives=per_pair"],
                "in trainer, negatives = per_pair draws with replacement: set replacement to true "
                "or negatives to per_batch",
            ),
            (
                ["negatives=per_pair", "replacement=true", "sampler=in_batch"],
                "in trainer, negatives = per_pair cannot draw in_batch: set sampler to another or "
                "negatives to per_batch",
            ),
            (
                ["temperature=0.1"],
                "in trainer, temperature = 0.1 is for softmax_cross_entropy, not nce: leave it out",
            ),
            (
                ["evaluations_per_epoch=0", "patience=3"],
                "in trainer, keep = best and patience need evaluations: set evaluations_per_epoch "
                "to 1 or more",
            ),
            (
                ["workers=5"],
                "in trainer, batch_size = 192 cannot be divided among 5 workers that synchronise "
                "each step: set it to a multiple of 80",
            ),
            (
                ["sync_every=24"],
                "in trainer, sync_every = 24 is neither 1 nor a multiple of 16, the steps for "
                "which data come in one piece: set it to one of them",
            ),
            (
                ["workers=2", "objective=negative_sampling", "negatives=per_pair"],
                "in trainer, negatives = per_pair gives each worker candidates of its own, of "
                "which no step can be put together: set sync_every to 16 or more, or negatives to "
                "per_batch",
            ),
            (
                ["workers=2", "threads=4"],
                "in trainer, threads = 4 of each of 2 workers cannot share the steps of "
                "sync_every = 1: set sync_every to 64 or more, or threads to 1",
            ),
            (
                ["workers=2", "threads=4", "sync_every=48"],
                "in trainer, threads = 4 of each of 2 workers cannot share the steps of "
                "sync_every = 48: set sync_every to 64 or more, or threads to 3",
            ),
            (
                ["evaluations_per_epoch=0", "keep=best"],
                "in trainer, keep = best and patience need evaluations: set evaluations_per_epoch "
                "to 1 or more",
            ),
        ],
    )
    def test_are_refused_with_what_to_do(self, settings, said):
        assert sentence(None, *(f"trainer.{setting}" for setting in settings)) == said

    def test_are_refused_in_a_file_too(self, yaml_file):
        said = sentence(yaml_file("trainer: {temperature: 2}"))
        assert said.startswith("in trainer, temperature = 2.0 is for softmax_cross_entropy")

    @pytest.mark.parametrize(
        "settings",
        [
            ["objective=softmax_cross_entropy", "logq_correction=true", "temperature=0.1"],
            ["objective=negative_sampling", "negatives=per_pair"],
            ["negatives=per_pair", "replacement=true", "sampler=uniform"],
            ["sampler=in_batch"],
            ["workers=4"],
            ["workers=5", "sync_every=64"],
            ["workers=2", "sync_every=64", "threads=4"],
            ["threads=16"],
            ["threads=16", "sync_every=16"],
            ["keep=best", "patience=2", "evaluations_per_epoch=1"],
            ["evaluations_per_epoch=0", "patience=null"],
            ["objective=full_sigmoid", "temperature=1"],
        ],
    )
    def test_those_that_do_are_allowed(self, settings):
        loaded = config_file.load(settings=[f"trainer.{setting}" for setting in settings])
        assert loaded.trainer != config.Config().trainer


class TestMetadata:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            (
                ["type=mysql"],
                "in metadata, type mysql takes either host or socket, and none is set",
            ),
            (
                ["type=mysql", "host=db", "socket=/run/db"],
                "in metadata, type mysql takes either host or socket, and both are set",
            ),
            (
                ["host=db"],
                "in metadata, host is of a server: set metadata.type=mysql with it",
            ),
            (
                ["host=db", "socket=/run/db"],
                "in metadata, host is of a server: set metadata.type=mysql with it; type mysql "
                "takes either host or socket, and both are set",
            ),
            (
                ["type=mysql", "host=db", "password=secret"],
                "in metadata, a password has no place: take it out and set the environment "
                "variable MYSQL_PWD",
            ),
        ],
    )
    def test_what_does_not_fit_together_is_refused(self, settings, said):
        assert sentence(None, *(f"metadata.{setting}" for setting in settings)) == said

    @pytest.mark.parametrize("name", ["a-b", "a; drop database b", "", "x" * 65])
    def test_names_of_databases_need_no_quotes(self, name):
        said = sentence(
            None, "metadata.type=mysql", "metadata.host=db", f"metadata.database='{name}'"
        )
        assert said.startswith(f"metadata.database = {name!r} is not allowed")


class TestDatesOfTheCorpus:
    DATED = "corpus.files=['logs/{YYYY}-{MM}-{DD}/*.gz']"

    def test_are_allowed_in_names(self):
        settings = [self.DATED, "corpus.days=30", "corpus.max_missing_days=29"]
        assert config_file.load(settings=settings).corpus.days == 30

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            (
                ["corpus.files=['logs/{YYYY}-{MM}/*.gz']"],
                "in corpus, files has 'logs/{YYYY}-{MM}/*.gz', which lacks {DD}: name a day by all "
                "of {YYYY}, {MM}, {DD}",
            ),
            (
                ["corpus.days=30"],
                "in corpus, days = 30 is for names with dates, and files has none: write {YYYY}, "
                "{MM}, {DD} into them, or leave days out",
            ),
            (
                [DATED, "corpus.days=3", "corpus.max_missing_days=3"],
                "in corpus, max_missing_days = 3 would let all of days = 3 be missing: allow fewer",
            ),
        ],
    )
    def test_that_do_not_fit_are_refused(self, settings, said):
        assert sentence(None, *settings) == said


class TestIntrinsicSets:
    def test_are_files_by_kind(self):
        settings = ["evaluator.similarity=[a/x.txt, gs://b/y.txt]", "evaluator.analogies=['x.txt']"]
        found = config_file.load(settings=settings).evaluator
        assert found.sets == {"similarity": ("a/x.txt", "gs://b/y.txt"), "analogies": ("x.txt",)}

    @pytest.mark.parametrize(
        ("setting", "said"),
        [
            (
                "similarity=[a/x.txt, b/x.tsv]",
                "'a/x.txt' and 'b/x.tsv', and a set goes by the name",
            ),
            ("analogies=['']", "in evaluator, analogies has '', which names no file"),
            (
                "thresholds=['similarity/x >= 0.5']",
                "has 'similarity/x >= 0.5', and there is no such set: no set is named",
            ),
            ("analogies=x.txt", "write a list, such as [first, second]"),
        ],
    )
    def test_have_a_name_of_their_own(self, setting, said):
        assert said in sentence(None, f"evaluator.{setting}")

    def test_may_have_thresholds(self):
        settings = [
            "evaluator.similarity=[a/WS-353.txt]",
            "evaluator.analogies=[questions.txt]",
        ]
        bounds = ["similarity/WS-353 >= 0.5", "analogies/questions/cos_mul >= 0.1"]
        found = config_file.load(settings=[*settings, f"evaluator.thresholds={bounds}"])
        assert found.evaluator.thresholds == tuple(bounds)
        other = "evaluator.thresholds=['similarity/questions >= 0.5']"
        assert (
            "there are similarity/WS-353, analogies/questions, analogies/questions/cos_mul"
            in sentence(None, *settings, other)
        )
