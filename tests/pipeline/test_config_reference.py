import re
from pathlib import Path

import pytest

from pipeline import config, config_file, config_reference

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture
def shown() -> str:
    return config_reference.as_yaml()


class TestYaml:
    def test_is_the_default(self, shown, tmp_path):
        path = tmp_path / "shown.yaml"
        path.write_text(shown)
        assert config_file.load(path) == config.Config()

    def test_shows_every_field(self, shown):
        for name, *_ in config.fields():
            assert re.search(rf"^ *{name.rpartition('.')[2]}: ", shown, re.MULTILINE), name

    def test_says_what_each_is_above_it(self, shown):
        words = " ".join(line.strip().removeprefix("# ") for line in shown.splitlines())
        for name, _, description in config.fields():
            assert description in words, name
        assert "# numbers per vector (word2vec's default)\n  dim: 100\n" in shown

    def test_what_is_not_set_is_null(self, shown):
        assert "\n  patience: null\n" in shown
        assert "\n  files: []\n" in shown

    def test_says_which_objectives_have_another_default(self, shown):
        assert "# Default with sampled_softmax: true\n  remove_accidental_hits: false\n" in shown
        assert "softmax_cross_entropy: 512\n  batch_size: 192\n" in shown

    def test_is_at_most_a_hundred_columns_wide(self, shown):
        assert max(map(len, shown.splitlines())) <= 100


class TestMarkdown:
    def test_the_file_is_current(self):
        assert DOCS.read_text(encoding="utf-8") == config_reference.as_markdown(), "run `make docs`"

    def test_has_a_row_for_every_field_below_its_section(self):
        section, found = "", []
        for line in config_reference.as_markdown().splitlines():
            if line.startswith("## "):
                section = f"{line.removeprefix('## ')}."
            if match := re.match(r"\| `([\w.]+)` \| `[^`]+` \| .{11,} \|$", line):
                found.append(f"{section}{match[1]}")
        assert found == [name for name, *_ in config.fields()]

    def test_lists_what_objectives_have_of_their_own(self):
        rows = config_reference.as_markdown().splitlines()
        assert "| `nce` | none |" in rows
        assert "| `sampled_softmax` | `remove_accidental_hits = true` |" in rows
