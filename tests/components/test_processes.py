import pytest

from components import processes


def test_ports_are_free_and_different() -> None:
    assert len(set(processes.free_ports(50))) == 50


@pytest.mark.parametrize(
    ("exit_code", "name", "hint"),
    [
        (-9, "SIGKILL", "the machine may have run out of memory"),
        (-15, "SIGTERM", ""),
        (0, "", ""),
        (137, "", ""),
        (None, "", ""),
    ],
)
def test_how_a_process_ended(exit_code: int | None, name: str, hint: str) -> None:
    assert processes.ending_signal(exit_code) == name
    assert processes.hint_at_memory(exit_code) == hint
