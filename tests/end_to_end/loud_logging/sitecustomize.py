"""Python imports this first where its folder is on the PYTHONPATH: all that is logged is shown."""

import logging

logging.basicConfig(level=logging.DEBUG)
