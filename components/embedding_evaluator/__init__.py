"""What is measured of a model, and the gate.

TFX comes before TFMA, in every process: it stands in for a module of tfx-bsl that TFDV 1.16 asks
for, and without it TFMA leaves out most of its names and says nothing.
"""

import tfx  # noqa: F401
