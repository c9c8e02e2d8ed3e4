"""The README stays true."""

import re
from pathlib import Path

from pipeline import config, config_file

README = Path(__file__).parent.parent.joinpath("README.md").read_text()


def test_the_configuration_it_shows_is_the_default(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "shown.yaml"
    path.write_text(block)
    assert config_file.load(path) == config.Config()
    for name, *_ in config.fields():
        assert f"{name.rpartition('.')[2]}:" in block
