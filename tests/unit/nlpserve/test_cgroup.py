import pytest

from nlpserve.cgroup import Throttling, throttling


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 1500000\n", 1.5),
        ("cpu/cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 2500000000\n", 2.5),
    ],
)
def test_throttling_of_both_kinds_of_cgroups(tmp_path, name, text, found):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert throttling(tmp_path) == Throttling(9, 3, found)


def test_a_kernel_that_does_not_tell_throttles_nothing(tmp_path):
    assert throttling(tmp_path) == Throttling(0, 0, 0)
    (tmp_path / "cpu.stat").write_text("usage_usec 5\n")  # a container without a limit
    assert throttling(tmp_path) == Throttling(0, 0, 0)
