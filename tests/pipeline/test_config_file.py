import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline import config, config_file
from trainer_module.errors import InputError
from trainer_module.hyperparameters import TrainerHyperparameters


@pytest.fixture
def yaml_file(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "config.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def sentence(path: Path | None = None, *settings: str) -> str:
    """What loading complains of; all of it on one line."""
    with pytest.raises(InputError) as caught:
        config_file.load(path, settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestWhereValuesComeFrom:
    def test_nothing_given_is_the_default(self):
        assert config_file.load() == config.Config()

    def test_an_empty_file_is_the_default(self, yaml_file):
        assert config_file.load(yaml_file("# nothing yet\n")) == config.Config()

    def test_a_section_with_all_lines_commented_out_is_the_default(self, yaml_file):
        assert config_file.load(yaml_file("trainer:\n  # dim: 3\n")) == config.Config()

    def test_a_file_sets_some_fields_and_leaves_the_others(self, yaml_file):
        loaded = config_file.load(yaml_file("seed: 7\ntrainer:\n  dim: 3\n"))
        assert (loaded.seed, loaded.trainer.dim) == (7, 3)
        assert loaded.trainer.epochs == config.Config().trainer.epochs
        assert loaded.preprocessing == config.Config().preprocessing

    def test_set_goes_above_the_file(self, yaml_file):
        path = yaml_file("trainer: {dim: 3, epochs: 9}")
        loaded = config_file.load(path, ["trainer.dim=5"])
        assert (loaded.trainer.dim, loaded.trainer.epochs) == (5, 9)

    def test_the_last_set_wins(self):
        assert config_file.load(settings=["seed=1", "seed=2"]).seed == 2

    def test_corpus_goes_above_set_and_file(self, yaml_file):
        path = yaml_file("corpus: {files: [a.txt], json_field: body}")
        loaded = config_file.load(path, ["corpus.files=[b.txt]"], ["c.txt", "d.txt"])
        assert loaded.corpus.files == ("c.txt", "d.txt")
        assert loaded.corpus.json_field == "body"

    def test_without_corpus_the_files_of_the_configuration_stay(self, yaml_file):
        assert config_file.load(yaml_file("corpus: {files: [a.txt]}")).corpus.files == ("a.txt",)

    def test_set_takes_yaml(self):
        loaded = config_file.load(
            settings=["corpus.files=[a.txt, 'b c.txt']", "corpus.json_field='7'"]
        )
        assert loaded.corpus.files == ("a.txt", "b c.txt")
        assert loaded.corpus.json_field == "7"

    def test_the_value_of_set_may_hold_equals_signs(self):
        assert config_file.load(settings=["corpus.json_field=a=b"]).corpus.json_field == "a=b"

    @pytest.mark.parametrize("text", ["1e-4", "1E-4", "+1e-4", "1.0e-4", "0.0001", ".0001"])
    def test_a_float_may_be_written_without_a_dot(self, yaml_file, text):
        path = yaml_file(f"trainer:\n  learning_rate: {text}\n")
        assert config_file.load(path).trainer.learning_rate == 0.0001
        assert config_file.load(settings=[f"preprocessing.subsample={text}"]) == config_file.load(
            settings=["preprocessing.subsample=0.0001"]
        )

    def test_what_only_looks_like_a_float_stays_text(self):
        loaded = config_file.load(settings=["corpus.json_field=1e-4x"])
        assert loaded.corpus.json_field == "1e-4x"

    @given(st.floats(min_value=1e-12, max_value=10, allow_subnormal=False))
    def test_every_float_is_read_as_python_writes_it(self, value):
        loaded = config_file.load(settings=[f"trainer.learning_rate={value!r}"])
        assert loaded.trainer.learning_rate == value


class TestUnknownFields:
    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("trainer.epoch", "trainer.epochs"),
            ("epochs", "trainer.epochs"),
            ("seeed", "seed"),
            ("trainer.window", "preprocessing.window"),
        ],
    )
    def test_name_the_nearest_known_one(self, name, nearest):
        said = sentence(None, f"{name}=3")
        assert said.startswith(f"{name} is no field of the configuration")
        assert said.endswith(f"the nearest is {nearest}")

    def test_are_found_in_files_too(self, yaml_file):
        said = sentence(yaml_file("trainer:\n  batchsize: 3\n"))
        assert said == (
            "trainer.batchsize is no field of the configuration; the nearest is trainer.batch_size"
        )

    def test_an_unknown_section_names_a_field_of_the_nearest(self):
        said = sentence(None, "preprocesing.window=3")
        assert said.startswith("preprocesing is no field")
        assert "the nearest is preprocessing." in said

    def test_a_section_that_is_empty_and_unknown_is_named(self, yaml_file):
        assert sentence(yaml_file("trainr:\n")).startswith("trainr is no field")


class TestWrongValues:
    @pytest.mark.parametrize(
        ("setting", "shown"),
        [
            ("trainer.epochs=many", "trainer.epochs = 'many'"),
            ("trainer.epochs=2.5", "trainer.epochs = 2.5"),
            ("trainer.epochs='3'", "trainer.epochs = '3'"),
            ("trainer.epochs=yes", "trainer.epochs = True"),
            ("trainer.epochs=0", "trainer.epochs = 0"),
            ("trainer.epochs=", "trainer.epochs = None"),
            ("trainer.learning_rate=0", "trainer.learning_rate = 0"),
            ("trainer.learning_rate=11", "trainer.learning_rate = 11"),
            ("trainer.learning_rate=.nan", "trainer.learning_rate = nan"),
            ("trainer.learning_rate=yes", "trainer.learning_rate = True"),
            ("trainer.objective=hs", "trainer.objective = 'hs'"),
            ("trainer.objective=[nce]", "trainer.objective = ['nce']"),
            ("trainer.sampler=zipf", "trainer.sampler = 'zipf'"),
            ("trainer.sampler_power=1.1", "trainer.sampler_power = 1.1"),
            ("trainer.replacement=1", "trainer.replacement = 1"),
            ("trainer.negatives=per_token", "trainer.negatives = 'per_token'"),
            ("trainer.num_sampled=0", "trainer.num_sampled = 0"),
            ("trainer.num_negatives=0", "trainer.num_negatives = 0"),
            ("trainer.logq_correction='yes'", "trainer.logq_correction = 'yes'"),
            ("trainer.temperature=0", "trainer.temperature = 0"),
            ("trainer.batch_size=8", "trainer.batch_size = 8"),
            ("trainer.batch_size=1000", "trainer.batch_size = 1000"),
            ("trainer.batch_size=65552", "trainer.batch_size = 65552"),
            ("trainer.evaluations_per_epoch=-1", "trainer.evaluations_per_epoch = -1"),
            ("trainer.keep=first", "trainer.keep = 'first'"),
            ("trainer.patience=0", "trainer.patience = 0"),
            ("trainer.workers=0", "trainer.workers = 0"),
            ("trainer.sync_every=0", "trainer.sync_every = 0"),
            ("preprocessing.window=101", "preprocessing.window = 101"),
            ("preprocessing.subsample=-1", "preprocessing.subsample = -1"),
            ("corpus.eval_fraction=0.6", "corpus.eval_fraction = 0.6"),
            ("corpus.max_document_bytes=1023", "corpus.max_document_bytes = 1023"),
            ("corpus.json_field=3", "corpus.json_field = 3"),
            ("corpus.json_field=''", "corpus.json_field = ''"),
            ("corpus.files=a.txt", "corpus.files = 'a.txt'"),
            ("evaluator.max_increase=-0.1", "evaluator.max_increase = -0.1"),
            ("seed=2147483648", "seed = 2147483648"),
        ],
    )
    def test_are_shown_with_their_field(self, setting, shown):
        assert sentence(None, setting).startswith(f"{shown} is not allowed: ")

    @pytest.mark.parametrize(
        "setting",
        [
            "seed=2147483647",
            "corpus.eval_fraction=0.5",
            "preprocessing.window=100",
            "trainer.batch_size=16",
            "trainer.batch_size=65536",
            "trainer.evaluations_per_epoch=0",
            "trainer.patience=1",
        ],
    )
    def test_the_ends_of_a_range_are_allowed(self, setting):
        name, _, value = setting.partition("=")
        loaded = config_file.load(settings=[setting])
        for part in name.split("."):
            loaded = getattr(loaded, part)
        assert str(loaded) == value

    def test_the_sentence_ends_with_what_the_field_is(self):
        assert sentence(None, "trainer.dim=0").endswith("(numbers per vector (word2vec's default))")

    def test_the_sentence_lists_the_choices(self):
        said = sentence(None, "trainer.objective=hs")
        assert "'nce', 'sampled_softmax', 'negative_sampling'" in said
        assert "'per_batch' or 'per_pair'" in sentence(None, "trainer.negatives=both")

    @pytest.mark.parametrize("value", ["3", "[]", "fast"])
    def test_a_section_has_no_value(self, yaml_file, value):
        said = "trainer is a section of the configuration, it has no value"
        assert sentence(None, f"trainer={value}").startswith(said)
        assert sentence(yaml_file(f"trainer: {value}")).startswith(said)
        assert sentence(yaml_file(f"trainer: {value}"), "trainer.dim=3").startswith(said)


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


class TestSeveralErrors:
    """They come at once, a line each."""

    def lines(self, path: Path | None = None, *settings: str) -> list[str]:
        with pytest.raises(InputError) as caught:
            config_file.load(path, settings)
        head, *lines = str(caught.value).splitlines()
        assert head == f"the configuration has {len(lines)} errors:"
        assert all(line.startswith("  ") for line in lines)
        return [line.strip() for line in lines]

    def test_of_a_file(self, yaml_file):
        path = yaml_file(
            "seed: -1\ntrainer: {dim: 0, epoch: 3}\nbeam: {runner: fast}\nevaluator: 5"
        )
        said = self.lines(path)
        assert [line.split(" ")[0] for line in said] == [
            *["seed", "trainer.dim", "trainer.epoch", "evaluator", "beam.runner"]
        ]
        assert said[0].startswith("seed = -1 is not allowed: ")
        assert said[2].endswith("the nearest is trainer.epochs")
        assert said[3].startswith("evaluator is a section")

    def test_of_settings_in_form_and_value(self):
        said = self.lines(None, "seed", "trainer.dim=[1", "trainer.epochs=0", "evaluator=5")
        assert said[:2] == [
            "--set takes section.field=value, not 'seed'",
            "the value of --set trainer.dim=[1 is not YAML",
        ]
        assert said[2].startswith("trainer.epochs = 0 is not allowed: ")
        assert said[3].startswith("evaluator is a section")

    def test_of_sections_whose_fields_do_not_fit_together(self):
        said = self.lines(None, "trainer.temperature=0.1", "metadata.type=mysql")
        assert said == [
            "in trainer, temperature = 0.1 is for softmax_cross_entropy, not nce: leave it out",
            "in metadata, type mysql takes either host or socket, and none is set",
        ]

    def test_a_password_hides_no_other_error_and_is_not_shown(self):
        said = self.lines(None, "metadata.password=secret", "metadata.port=0")
        assert len(said) == 2
        assert any(line.startswith("in metadata, a password has no place: ") for line in said)
        assert any(line.startswith("metadata.port = 0 is not allowed: ") for line in said)
        assert "secret" not in " ".join(said)

    def test_fields_that_a_wrong_setting_would_have_set_are_not_missed(self):
        # The host may be what makes the section right.
        assert sentence(None, "metadata.type=mysql", "metadata.host") == (
            "--set takes section.field=value, not 'metadata.host'"
        )

    def test_the_same_one_is_said_once(self, yaml_file):
        said = sentence(yaml_file("trainer: 3"), "trainer.dim=3", "trainer.epochs=3")
        assert said == "trainer is a section of the configuration, it has no value 3"


class TestWrongForm:
    @pytest.mark.parametrize("setting", ["seed", "=3", "trainer.=3", ".dim=3", ""])
    def test_set_wants_a_name_and_a_value(self, setting):
        said = sentence(None, setting)
        assert said == f"--set takes section.field=value, not {setting!r}"

    def test_set_wants_yaml(self):
        assert sentence(None, "seed=[1") == "the value of --set seed=[1 is not YAML"

    def test_missing_file(self, tmp_path):
        path = tmp_path / "none.yaml"
        assert sentence(path) == (
            f"cannot read the configuration {path}: No such file or directory"
        )

    def test_folder(self, tmp_path):
        assert sentence(tmp_path).endswith("Is a directory")

    def test_not_utf8(self, yaml_file):
        assert sentence(yaml_file(b"seed: \xff")).endswith("config.yaml: it is not UTF-8")

    def test_not_yaml(self, yaml_file):
        said = sentence(yaml_file("seed: [1\n"))
        assert "config.yaml is not YAML: " in said
        assert "line 2" in said

    def test_yaml_that_would_make_objects_is_refused(self, yaml_file):
        assert "is not YAML" in sentence(yaml_file("!!python/object/apply:os.getcwd []"))

    @pytest.mark.parametrize("content", ["- seed: 1\n", "seed", "0", "false"])
    def test_not_sections_at_the_top(self, yaml_file, content):
        assert "must hold `section: ...` lines, not" in sentence(yaml_file(content))

    def test_a_name_that_is_no_text(self, yaml_file):
        assert sentence(yaml_file("1: 2\n")).startswith("1 = ")


class TestImmutability:
    def test_no_field_can_be_set(self):
        loaded = config_file.load(settings=["seed=1", "trainer.dim=100"])
        with pytest.raises(ValidationError, match="frozen"):
            loaded.seed = 2
        with pytest.raises(ValidationError, match="frozen"):
            loaded.trainer.dim = 2
        assert (loaded.seed, loaded.trainer.dim) == (1, 100)

    def test_the_list_of_files_cannot_grow(self):
        assert isinstance(config_file.load(corpus=["a"]).corpus.files, tuple)

    def test_loading_one_configuration_leaves_the_next_alone(self):
        config_file.load(settings=["trainer.dim=3"], corpus=["a"])
        assert config_file.load() == config.Config()
