"""Sizes: of work, which what is configured must be a multiple of, and of windows."""

from typing import Literal

# Targets: the least height of a frame, of which a step is so many. Of 8 to 64 the fastest for a
# window of 5.
FRAME_HEIGHT = 16
# Steps whose data come in one piece: what tf.data costs a piece is then not felt.
STEPS_PER_CHUNK = 16

# Tokens to each side; a window of more takes more memory than it gives.
LARGEST_WINDOW = 100
# How far contexts may stand: so many tokens to each side, of which each target draws its own from 1
# on; or `all`, as far as any window may reach, for every target.
Window = int | Literal["all"]


def reach(window: Window) -> int:
    """How many tokens to each side a window has at most.

    >>> reach(5), reach("all")
    (5, 100)
    """
    return LARGEST_WINDOW if window == "all" else window
