"""The report that a run leaves, in a real browser, and the commands that look at runs."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tests import browser
from tests.end_to_end.commands import Run, Skipgram

pytestmark = pytest.mark.slow

_TEXT = "return document.querySelector('main').innerText"


def test_the_report_of_a_run_opens(run: Run) -> None:
    with browser.running() as chromium:
        chromium.open(run.output / "report.html", width=400)
        assert chromium.complaints() == []
        states = "return [...document.querySelectorAll('.chart')].map((one) => one.dataset.drawn)"
        drawn = chromium.run(states)
        assert set(drawn) == {"yes"}
        assert chromium.run("return document.querySelector('#answers .short').innerText") == "Yes"
        words = chromium.run(_TEXT)
        assert run.summary["verdict"].partition(": ")[2] in words
        assert "trainer.dim" in chromium.run("return document.body.textContent")
        assert chromium.run("return document.querySelectorAll('#map .mark-text text').length") == 15


def test_the_card_has_the_figures_of_the_summary(run: Run) -> None:
    card = ModelCard.load(run.output / "vectors" / "MODEL_CARD.md")
    found = {one.metric_type: one.metric_value for one in card.data.eval_results or ()}
    name = "full_softmax_cross_entropy"
    assert found[name] == run.summary[name]


def test_the_report_is_drawn_again_by_its_command(
    run: Run, skipgram: Skipgram, tmp_path: Path
) -> None:
    to = tmp_path / "again.html"
    ended = skipgram("report", "--output", str(run.output), "--to", str(to))
    assert (ended.code, ended.stdout, ended.stderr) == (0, f"{to}\n", "")
    assert to.read_bytes() == (run.output / "report.html").read_bytes()


def test_a_run_beside_itself(run: Run, skipgram: Skipgram) -> None:
    name = run.summary["run"]
    ended = skipgram("compare", name, "last", "--output", str(run.output), "--format", "json")
    assert ended.code == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["runs"] == [name, name]
    assert found["differing"] == {}
    assert found["figures"]["perplexity"]["difference"] == 0
    shown = skipgram("compare", name, name, "--output", str(run.output))
    assert "perplexity" in shown.stdout
