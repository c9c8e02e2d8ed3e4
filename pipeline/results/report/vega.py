"""Vega's own JavaScript, with all that it needs, as one script."""

import functools
import subprocess
import sys

_SECONDS = 120
_PROGRAM = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle())"


@functools.cache
def javascript() -> str:
    """A script that defines `vegaEmbed`, from the wheel of vl-convert.

    In a process of its own: V8, which puts it together, ends its process where memory is short.

    Raises:
      RuntimeError: that process failed; the message has its last words.
    """
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        encoding="utf-8",
        timeout=_SECONDS,
        check=False,
    )
    if ended.returncode != 0 or "</script" in ended.stdout.lower():
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        raise RuntimeError(f"Vega's JavaScript could not be put together: {last}")
    # What it declares stays its own.
    return f"(() => {{\n{ended.stdout}\n}})();"
