import doctest
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline import config, config_file, yaml_tree
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
        path = yaml_file("corpus: {files: [a.txt], columns: [body]}")
        loaded = config_file.load(path, ["corpus.files=[b.txt]"], ["c.txt", "d.txt"])
        assert loaded.corpus.files == ("c.txt", "d.txt")
        assert loaded.corpus.columns == ("body",)

    def test_without_corpus_the_files_of_the_configuration_stay(self, yaml_file):
        assert config_file.load(yaml_file("corpus: {files: [a.txt]}")).corpus.files == ("a.txt",)

    def test_set_takes_yaml(self):
        loaded = config_file.load(settings=["corpus.files=[a.txt, 'b c.txt']", "metadata.user='7'"])
        assert loaded.corpus.files == ("a.txt", "b c.txt")
        assert loaded.metadata.user == "7"

    def test_the_value_of_set_may_hold_equals_signs(self):
        assert config_file.load(settings=["metadata.user=a=b"]).metadata.user == "a=b"

    @pytest.mark.parametrize("text", ["1e-4", "1E-4", "+1e-4", "1.0e-4", "0.0001", ".0001"])
    def test_a_float_may_be_written_without_a_dot(self, yaml_file, text):
        path = yaml_file(f"trainer:\n  learning_rate: {text}\n")
        assert config_file.load(path).trainer.learning_rate == 0.0001
        assert config_file.load(settings=[f"preprocessing.subsample={text}"]) == config_file.load(
            settings=["preprocessing.subsample=0.0001"]
        )

    def test_what_only_looks_like_a_float_stays_text(self):
        loaded = config_file.load(settings=["metadata.user=1e-4x"])
        assert loaded.metadata.user == "1e-4x"

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
        path = yaml_file("trainer:\n  batchsize: 3\n")
        assert sentence(path) == (
            "trainer.batchsize is no field of the configuration; the nearest is "
            f"trainer.batch_size ({path}, line 2)"
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
            ("trainer.epochs=true", "trainer.epochs = True"),
            ("trainer.epochs=0", "trainer.epochs = 0"),
            ("trainer.epochs=", "trainer.epochs = None"),
            ("trainer.learning_rate=0", "trainer.learning_rate = 0"),
            ("trainer.learning_rate=11", "trainer.learning_rate = 11"),
            ("trainer.learning_rate=.nan", "trainer.learning_rate = nan"),
            ("trainer.learning_rate=true", "trainer.learning_rate = True"),
            ("trainer.objective=hs", "trainer.objective = 'hs'"),
            ("trainer.objective=[nce]", "trainer.objective = ['nce']"),
            ("trainer.sampler=zipf", "trainer.sampler = 'zipf'"),
            ("trainer.sampler_power=1.1", "trainer.sampler_power = 1.1"),
            ("trainer.sampler_power=-1.1", "trainer.sampler_power = -1.1"),
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
            ("preprocessing.window=0", "preprocessing.window = 0"),
            ("preprocessing.window=true", "preprocessing.window = True"),
            ("preprocessing.window=every", "preprocessing.window = 'every'"),
            ("preprocessing.subsample=-1", "preprocessing.subsample = -1"),
            ("corpus.eval_fraction=0.6", "corpus.eval_fraction = 0.6"),
            ("corpus.max_document_bytes=1023", "corpus.max_document_bytes = 1023"),
            ("metadata.user=3", "metadata.user = 3"),
            ("metadata.user=''", "metadata.user = ''"),
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
        path = yaml_file(f"trainer: {value}")
        assert sentence(path).startswith(said)
        assert sentence(path).endswith(f" ({path}, line 1)")
        assert sentence(path, "trainer.dim=3") == sentence(path)


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
        assert said[2].endswith(f"the nearest is trainer.epochs ({path}, line 2)")
        assert said[3].startswith("evaluator is a section")

    def test_of_settings_in_form_and_value(self):
        said = self.lines(None, "seed", "trainer.dim=[1", "trainer.epochs=0", "evaluator=5")
        assert said[:2] == [
            "--set takes section.field=value, not 'seed'",
            "the value of --set trainer.dim=[1 is not YAML: while parsing a flow sequence, "
            "expected ',' or ']', but got '<stream end>': if it is text that holds signs of "
            "YAML's own, put it in quotes",
        ]
        assert said[2].startswith("trainer.epochs = 0 is not allowed: ")
        assert said[3].startswith("evaluator is a section")

    def test_of_sections_whose_fields_do_not_fit_together(self):
        said = self.lines(None, "trainer.temperature=0.1", "metadata.type=mysql")
        assert said == [
            "in trainer, temperature = 0.1 is for softmax_cross_entropy, not nce: leave it out",
            "in metadata, type mysql takes either host or socket, and none is set",
        ]

    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            (
                ["kind=edges", "columns=[a]"],
                "columns = ['a'] does not fit kind = edges: name those",
            ),
            (["kind=pairs", "columns=[a, b, a]"], "columns = ['a', 'b', 'a'] does not fit kind ="),
            (
                ["columns=[a, b]"],
                "columns = ['a', 'b'] does not fit kind = text: name the one that",
            ),
            (
                ["kind=sessions", "columns=[a, b]"],
                "does not fit kind = sessions: name the one that",
            ),
            (["columns=['']"], "corpus.columns.0 = '' is not allowed"),
            (["columns=text"], "corpus.columns = 'text' is not allowed"),
            (["json_field=text"], "corpus.json_field is now corpus.columns, a list that holds for"),
        ],
    )
    def test_columns_fit_the_kind(self, settings, said):
        assert said in sentence(None, *(f"corpus.{setting}" for setting in settings))

    def test_ids_are_not_taken_apart(self):
        tokenizer = "preprocessing.tokenizer=unicode_words"
        assert sentence(None, "corpus.kind=edges", tokenizer) == (
            "preprocessing.tokenizer = unicode_words is for words, and the ids of corpus.kind = "
            "edges are taken as they are: begin from `skipgram config --kind edges`, or leave it "
            "out"
        )

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
        path = yaml_file("trainer: 3")
        assert sentence(path, "trainer.dim=3", "trainer.epochs=3") == (
            f"trainer is a section of the configuration, it has no value 3 ({path}, line 1)"
        )


class TestWrongForm:
    @pytest.mark.parametrize("setting", ["seed", "=3", "trainer.=3", ".dim=3", ""])
    def test_set_wants_a_name_and_a_value(self, setting):
        said = sentence(None, setting)
        assert said == f"--set takes section.field=value, not {setting!r}"

    def test_set_wants_yaml(self):
        assert sentence(None, "seed=[1").startswith("the value of --set seed=[1 is not YAML: ")

    def test_missing_file(self, tmp_path):
        path = tmp_path / "none.yaml"
        assert sentence(path) == (
            f"cannot read the configuration {path}: No such file or directory"
        )

    def test_folder(self, tmp_path):
        assert sentence(tmp_path).endswith("Is a directory")

    def test_not_utf8(self, yaml_file):
        assert sentence(yaml_file(b"seed: 1\n# \xff")).endswith(
            "config.yaml: line 2 is not UTF-8; save it as UTF-8"
        )

    def test_not_yaml(self, yaml_file):
        said = sentence(yaml_file("seed: [1\n"))
        assert "config.yaml, line 2, is not YAML: " in said

    def test_yaml_that_would_make_objects_is_refused(self, yaml_file):
        assert "is not YAML" in sentence(yaml_file("!!python/object/apply:os.getcwd []"))

    @pytest.mark.parametrize("content", ["- seed: 1\n", "seed", "0", "false"])
    def test_not_sections_at_the_top(self, yaml_file, content):
        assert "must hold `section: ...` lines, not" in sentence(yaml_file(content))

    def test_a_name_that_is_no_text(self, yaml_file):
        assert sentence(yaml_file("1: 2\n")).startswith("1 is no field of the configuration")


class TestTakenAsWritten:
    """What YAML 1.1 and hasty eyes take otherwise; each way of giving it means the same."""

    def test_a_second_section_is_no_replacement_of_the_first(self, yaml_file):
        path = yaml_file("trainer:\n  dim: 3\nseed: 2\ntrainer:\n  epochs: 4\n")
        assert sentence(path) == (
            f"trainer is here again, after line 1: leave one of them out ({path}, line 4)"
        )

    def test_a_field_is_given_once(self, yaml_file):
        path = yaml_file("trainer: {dim: 3}\nmetadata: {port: 3, 'port': 4}\n")
        assert sentence(path) == (
            f"metadata.port is here again, after line 2: leave one of them out ({path}, line 2)"
        )

    def test_what_is_given_twice_hides_no_other_error(self, yaml_file):
        path = yaml_file("seed: 1\nseed: 2\ntrainer: {dim: 0, dim: 3, epochs: -1}\n")
        with pytest.raises(InputError) as caught:
            config_file.load(path)
        assert [line.split()[0] for line in str(caught.value).splitlines()[1:]] == [
            *["seed", "trainer.dim", "trainer.epochs"]
        ]

    def test_sections_and_fields_do_not_clash_with_their_like_elsewhere(self, yaml_file):
        loaded = config_file.load(yaml_file("seed: 3\ntrainer: {dim: 3}\npreprocessing: {}\n"))
        assert (loaded.seed, loaded.trainer.dim) == (3, 3)

    @pytest.mark.parametrize(
        ("text", "instead"),
        [("0100", "100"), ("-007", "-7"), ("+010", "+10"), ("00", "0"), ("08", "8")],
    )
    def test_a_number_does_not_begin_with_a_zero(self, yaml_file, text, instead):
        field = "evaluator.min_gain_over_unigram"
        said = f"{field} = {text} begins with a zero, by which some mean an octal number: write "
        said += f"{instead}, or '{text}' in quotes if it is text"
        path = yaml_file(f"evaluator:\n  min_gain_over_unigram: {text}\n")
        assert sentence(path) == f"{said} ({path}, line 2)"
        assert sentence(None, f"{field}={text}") == f"--set {said}"

    @pytest.mark.parametrize(
        ("field", "text", "advice"),
        [
            ("trainer.epochs", "1:30", "write digits alone"),
            ("trainer.epochs", "1_000", "write digits alone"),
            ("trainer.epochs", "0b11", "write digits alone"),
            ("trainer.epochs", "2024-01-01", "write digits alone"),
            ("trainer.learning_rate", "0,5", "write it as 0.001"),
            ("trainer.replacement", "yes", "write true or false"),
            ("trainer.replacement", "off", "write true or false"),
            ("metadata.user", "12", "put it in quotes"),
            ("metadata.user", "true", "put it in quotes"),
            ("corpus.files", "a.txt", "write a list"),
        ],
    )
    def test_what_is_of_another_kind_is_told_what_to_write(self, yaml_file, field, text, advice):
        section, _, name = field.partition(".")
        path = yaml_file(f"{section}:\n  {name}: {text}\n")
        assert advice in sentence(path)
        assert sentence(path).startswith(f"{field} = ")
        assert sentence(path) == f"{sentence(None, f'{field}={text}')} ({path}, line 2)"

    @pytest.mark.parametrize(
        ("text", "value"),
        [("yes", "yes"), ("on", "on"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"),
         ("1_000", "1_000"), ("=", "="), ("<<", "<<"), ("'0100'", "0100"), ("a #b", "a"),
         ("--- a", "--- a"), ("a b", "a b"), ('"\\x41"', "A")],
    )  # fmt: skip
    def test_text_is_the_same_in_the_file_and_by_set(self, yaml_file, text, value):
        path = yaml_file(f"metadata:\n  user: {text}\n")
        assert config_file.load(path).metadata.user == value
        assert config_file.load(settings=[f"metadata.user={text}"]).metadata.user == value

    @pytest.mark.parametrize(("text", "value"), [("0x10", 16), ("0o17", 15), ("+3", 3), ("0", 0)])
    def test_numbers_of_yaml_1_2(self, yaml_file, text, value):
        assert config_file.load(yaml_file(f"seed: {text}")).seed == value
        assert config_file.load(settings=[f"seed={text}"]).seed == value

    @pytest.mark.parametrize("text", [".inf", "-.INF", "1e999", ".nan", "9" * 5000])
    def test_what_is_no_finite_number(self, text):
        assert "is not allowed" in sentence(None, f"trainer.learning_rate={text}")

    def test_a_setting_is_one_value(self):
        for text in (
            "3\ntrainer: {dim: 5}",
            "3\n---\n4",
            "3\nb: 4",
            "a: 3",
            "- 3",
            "*x",
            "!!int 3",
        ):
            assert "the value of --set seed" in sentence(None, f"seed={text}")

    def test_a_name_with_its_section_is_no_name_in_a_file(self, yaml_file):
        path = yaml_file("trainer.dim: 3\n")
        assert sentence(path) == (
            "trainer.dim is one name here: write `trainer:` and below it, indented, `dim: ...` "
            f"({path}, line 1)"
        )

    @pytest.mark.parametrize(
        ("content", "line", "said"),
        [
            ("seed: 1\n---\nseed: 2\n", 2, "leave one of them"),
            ("trainer:\n\tdim: 3\n", 2, "indent with blanks, not with tabs"),
            ("seed: &a 1\ntrainer: {dim: *a}\n", 2, "*a is an alias: write the value"),
            ("seed: !!int '1'\n", 1, "is a tag: write the value alone"),
            ("seed: 1\ncorpus:\n  files: [*.txt]\n", 3, "put it in quotes"),
            ("seed: 1\nmetadata: {user: a\x1b}\n", 2, "the character '\\x1b' has no place"),
            ("? [a]\n: 3\n", 1, "a list or a mapping is no name"),
            ("corpus:\n  files: " + "[" * 5000, 1, "nested too deeply"),
        ],
    )
    def test_what_has_no_place_in_a_configuration(self, yaml_file, content, line, said):
        path = yaml_file(content)
        assert sentence(path).startswith(f"the configuration {path}, line {line}, is not YAML: ")
        assert said in sentence(path)

    def test_aliases_cannot_stand_for_billions_of_values(self, yaml_file):
        names = "abcdefghijklmnopqrst"
        lines = ["a: &a [x, x]"]
        lines += [f"{b}: &{b} [*{a}, *{a}]" for a, b in itertools.pairwise(names)]
        assert "*a is an alias" in sentence(yaml_file("\n".join(lines)))

    def test_a_byte_order_mark_is_no_part_of_a_name(self, yaml_file):
        assert config_file.load(yaml_file("\ufeffseed: 3\n".encode())).seed == 3

    def test_windows_line_ends(self, yaml_file):
        assert config_file.load(yaml_file(b"seed: 3\r\ntrainer:\r\n  dim: 4\r\n")).trainer.dim == 4

    def test_utf16_is_not_utf8(self, yaml_file):
        assert "is not UTF-8; save it as UTF-8" in sentence(yaml_file("seed: 1".encode("utf-16")))

    def test_a_file_without_end_is_another_file(self):
        assert sentence(Path("/dev/zero")).endswith("1,048,576 bytes: is it another file?")

    def test_a_long_value_is_cut(self):
        assert len(sentence(None, f"trainer.objective={'x' * 100_000}")) < 1000

    def test_the_line_of_a_field_that_is_set_elsewhere_is_not_named(self, yaml_file):
        path = yaml_file("trainer:\n  dim: 3\n  epochs: 0\n")
        said = sentence(path, "trainer.dim=0", "trainer.epochs=1")
        assert said.startswith("trainer.dim = 0 is not allowed")
        assert "line" not in said

    def test_the_line_of_an_item(self, yaml_file):
        path = yaml_file("corpus:\n  files:\n    - a.txt\n    - 3\n")
        assert sentence(path).startswith("corpus.files.1 = 3 is not allowed")
        assert sentence(path).endswith(f"({path}, line 4)")

    def test_the_line_of_fields_that_do_not_fit_together_is_their_section(self, yaml_file):
        path = yaml_file("seed: 1\ntrainer:\n  temperature: 0.1\n")
        assert sentence(path).endswith(f"({path}, line 2)")

    def test_the_examples_of_the_reader_run(self):
        found = doctest.testmod(yaml_tree)
        assert found.attempted
        assert not found.failed


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
