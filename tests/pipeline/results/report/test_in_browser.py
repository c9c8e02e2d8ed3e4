"""The page in a real browser: charts are drawn, words are found, nothing hostile runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.results.report import page
from tests import browser
from tests.browser import Browser
from tests.pipeline.results.report import made_up

# More than a map has room to name.
WORDS = 1_000
_SIZES = """
return Object.fromEntries([...document.querySelectorAll('.chart')].map((chart) => {
  const box = chart.querySelector('svg')?.getBoundingClientRect();
  return [chart.id, box ? [box.width, box.height, chart.dataset.drawn] : null];
}));
"""
_TYPE = """
const find = document.getElementById('find');
find.value = arguments[0];
find.dispatchEvent(new Event('input'));
find.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}));
"""
_LABELS = """
return [...document.querySelectorAll('#map .mark-text text')]
  .filter((text) => text.getAttribute('opacity') !== '0').map((text) => text.textContent);
"""
# Of those that are seen the boxes; two overlap where each begins before the other ends. A box is
# higher than the letters in it.
_OVERLAPS = """
const boxes = [...document.querySelectorAll('#map .mark-text text')]
  .filter((text) => text.getAttribute('opacity') !== '0')
  .map((text) => text.getBoundingClientRect());
const slack = 2, leading = 4;
return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
  a.left + slack < b.right && b.left + slack < a.right &&
  a.top + leading < b.bottom && b.top + leading < a.bottom)).length;
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.running() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    page.write(made_up.written(folder, WORDS), folder / "report.html")
    return folder / "report.html"


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_and_nobody_complains(
    chromium: Browser, report: Path, width: int, scheme: str
) -> None:
    chromium.open(report, width=width, scheme=scheme)
    sizes = chromium.run(_SIZES)
    assert len(sizes) > 12
    for name, size in sizes.items():
        assert size is not None, name
        drawn_width, drawn_height, state = size
        assert state == "yes", name
        assert 100 < drawn_width <= width
        assert drawn_height > 50
    assert chromium.complaints() == []
    # Nothing runs out of the page to the side.
    assert chromium.run("return document.documentElement.scrollWidth") <= width


def test_nothing_of_a_stranger_runs(chromium: Browser, report: Path) -> None:
    chromium.open(report)
    assert chromium.run("return document.title") == "Blessed: run 20261128064419"
    assert chromium.run("return document.querySelectorAll('img, script').length") == 3


def test_dark_and_light_differ_and_have_contrast(chromium: Browser, report: Path) -> None:
    colors = {}
    for scheme in ("light", "dark"):
        chromium.open(report, scheme=scheme)
        colors[scheme] = chromium.run(
            "const style = getComputedStyle(document.body);"
            "return [style.color, style.backgroundColor].map((one) => "
            "one.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3);"
        )
    (light_text, light_page), (dark_text, dark_page) = colors["light"], colors["dark"]
    assert light_page - light_text > 150
    assert dark_text - dark_page > 150


def test_labels_do_not_lie_on_each_other_and_grow_in_number_with_the_zoom(
    chromium: Browser, report: Path
) -> None:
    chromium.open(report)
    few = set(chromium.run(_LABELS))
    assert 10 < len(few) < 250
    assert chromium.run(_OVERLAPS) == 0
    # Into a bunch of words, which had no room for all of their names.
    chromium.run(_TYPE, "word57")
    chromium.wait("return document.getElementById('map').classList.contains('zoomed')")
    seen = set(chromium.run(_LABELS))
    assert seen - few
    assert chromium.run(_OVERLAPS) == 0


def test_a_word_is_found_with_its_neighbors(chromium: Browser, report: Path) -> None:
    chromium.open(report)
    chromium.run(_TYPE, "Word57")
    found = "return document.getElementById('found').textContent"
    assert chromium.run(found).startswith("Nearest to word57: word")
    assert chromium.run("return document.querySelectorAll('#found button').length") == 8
    chromium.wait(f"return (() => {{ {_LABELS} }})().includes('word57')")
    chromium.run(_TYPE, "word15")
    chromium.run("document.querySelector('#found button').click()")
    assert chromium.run("return document.getElementById('find').value") != "word15"
    chromium.run(_TYPE, "word2")
    assert chromium.run(found) == "110 of 1000 words hold word2"
    chromium.run(_TYPE, "<scr")
    assert chromium.run(found) == "2 of 1000 words hold <scr"
    assert chromium.complaints() == []


def test_on_paper_the_charts_stay_and_the_tools_go(chromium: Browser, report: Path) -> None:
    chromium.open(report, scheme="dark")
    chromium.print_media(on=True)
    try:
        display = "return getComputedStyle(document.querySelector(arguments[0])).display"
        assert chromium.run(display, ".tools") == "none"
        assert chromium.run(display, "#map svg") == "block"
        background = "return getComputedStyle(document.body).backgroundColor"
        assert chromium.run(background) == "rgb(255, 255, 255)"
    finally:
        chromium.print_media(on=False)
