"""A fingerprint of our code: TFX's cache does not see an edit of what is named by a dotted name."""

import hashlib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def code_fingerprint(*packages: str) -> str:
    """Hashes the Python sources of packages.

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
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
