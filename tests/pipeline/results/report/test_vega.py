"""Vega's JavaScript, from its wheel."""

from collections.abc import Iterator

import pytest

from pipeline.results.report import vega


@pytest.fixture
def nothing_cached() -> Iterator[None]:
    vega.javascript.cache_clear()
    yield
    vega.javascript.cache_clear()


def test_it_is_one_script_that_defines_what_draws() -> None:
    script = vega.javascript()
    assert "window.vegaEmbed=" in script
    assert "</script" not in script.lower()
    assert "\r" not in script  # a browser would hash another text
    assert len(script.encode()) < 2_000_000


@pytest.mark.usefixtures("nothing_cached")
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('Fatal process out of memory')", "Fatal process out of memory"),
        ("import os; os.abort()", "exit code -6"),
        ("print('</script>')", "exit code 0"),
    ],
)
def test_a_process_that_fails_is_no_script(
    monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(vega, "_PROGRAM", program)
    with pytest.raises(RuntimeError, match=f"could not be put together: {said}"):
        vega.javascript()
