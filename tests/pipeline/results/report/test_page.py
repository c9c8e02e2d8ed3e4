"""The page as text: nothing of a stranger is taken for the page's own."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.results.report import page
from tests.pipeline.results.report import made_up

MOST_BYTES = 5_000_000


class Parsed(HTMLParser):
    """What a browser would make of it: elements, scripts, text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and self.cdata_elem:
            self.scripts[-1] += data
        else:
            self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page.render(made_up.written(tmp_path_factory.mktemp("report")))


@pytest.fixture(scope="module")
def parsed(text: str) -> Parsed:
    return Parsed(text)


def test_it_is_one_small_file_that_names_no_other(text: str, parsed: Parsed) -> None:
    assert len(text.encode()) < MOST_BYTES
    for tag, attributes in parsed.tags:
        assert tag not in ("link", "img", "iframe", "object", "b")
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_hostile_words_are_text(parsed: Parsed) -> None:
    assert len(parsed.scripts) == 3
    shown = "".join(parsed.text)
    for token in made_up.HOSTILE[:8]:
        assert token in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"\u202egnp" in shown
    assert "49" not in re.findall(r"<bdi>(49)</bdi>", shown)


def test_only_the_pages_scripts_may_run(parsed: Parsed) -> None:
    [policy] = [
        one["content"] or ""
        for one in parsed.of("meta")
        if one.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    _, vega, ours = parsed.scripts
    for script in (vega, ours):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy


def test_the_data_is_json_with_a_spec_for_each_chart(parsed: Parsed) -> None:
    data = json.loads(parsed.scripts[0])
    drawn = [one["id"] for one in parsed.of("div") if one.get("class") == "chart"]
    assert set(drawn) == set(data["charts"])
    assert len(drawn) == len(set(drawn))
    assert {"losses-of-runs", "increases-of-runs", "held-out", "sampled", "ranks", "calibration",
            "target_frequency-full_softmax_cross_entropy", "similarity", "analogies", "zipf",
            "lengths", "moved-by-band", "map"} <= set(drawn)  # fmt: skip
    assert len(data["neighbors"]["word50"]) == 8


def test_every_chart_says_what_is_in_it(parsed: Parsed) -> None:
    for one in parsed.of("div"):
        if one.get("class") == "chart":
            assert one["role"] == "img"
            assert len(one["aria-label"] or "") > 20


def test_the_first_thing_it_says_is_the_verdict(text: str, parsed: Parsed) -> None:
    assert "<title>Blessed: run 20261128064419</title>" in text
    words = "".join(parsed.text)
    questions = ("Is it blessed?", "Is it better than last time?", "Where is it weak?")
    places = [words.index(question) for question in questions]
    assert places == sorted(places)
    assert places[-1] < words.index("Over the last runs")


def test_figures_that_are_no_numbers_are_left_out_of_the_data(tmp_path: Path) -> None:
    sources = made_up.sources(tmp_path, full_loss=float("nan"), sampled_losses={"5": float("inf")})
    json.loads(Parsed(page.render(sources)).scripts[0], parse_constant=pytest.fail)


def test_a_run_of_an_older_version_has_a_page(tmp_path: Path) -> None:
    """With the verdict and little more, and no artifacts."""
    old = {"run": "20260101000000", "blessed": False, "full_softmax_cross_entropy": 7.0}
    record = made_up.record("20260101000000", "not blessed")
    sources = made_up.Sources(
        made_up.RunRecord(record.run_id, record.started, "a.txt", "not blessed", old),
        [], {}, tmp_path,
    )  # fmt: skip
    words = "".join(Parsed(page.render(sources)).text)
    assert "not blessed" in words
    assert "This is the first run here" in words


def test_no_line_ends_between_a_number_and_its_sign(parsed: Parsed) -> None:
    assert re.search(r"\d\u00a0%", "".join(parsed.text))
    assert not re.search(r"\d %", "".join(parsed.text))
