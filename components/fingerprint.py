"""A fingerprint of our code: TFX's cache does not see an edit of what is named by a dotted name.

Standard library only: a node compares fingerprints before it imports anything else.
"""

import hashlib
from pathlib import Path

# What nodes import of ours; `pipeline` is the last one's, which says why a model is not blessed.
OF_NODES = ("components", "pipeline", "trainer_module")

_ROOT = Path(__file__).resolve().parent.parent


def code_fingerprint(*packages: str) -> str:
    """Hashes the Python sources of packages, however a checkout ends their lines.

    Args:
      packages: dotted names, such as `components.text_example_gen`.

    Returns:
      16 hexadecimal digits.

    Raises:
      FileNotFoundError: a package has no sources.
    """
    digest = hashlib.sha256()
    for package in packages:
        sources = sorted(_ROOT.joinpath(*package.split(".")).rglob("*.py"))
        if not sources:
            raise FileNotFoundError(f"package {package} has no sources below {_ROOT}")
        for source in sources:
            digest.update(source.relative_to(_ROOT).as_posix().encode())
            digest.update(source.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]
