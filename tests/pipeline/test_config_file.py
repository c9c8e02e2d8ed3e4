from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline import config, config_file
from trainer_module.errors import InputError


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
