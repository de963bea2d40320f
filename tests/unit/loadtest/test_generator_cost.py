import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from facts import CLOSED, measured, result, worker

from loadtest.cli import app
from loadtest.generator_cost import MOST_SOCKETS, cost, workers


def test_cpu_of_all_workers_over_all_requests_of_the_hold():
    found = cost(result(workers=[worker(cpu_share=0.2), worker(cpu_share=0.4, cpu_limit=0.5)]))
    assert found.cpu == pytest.approx((0.2 + 0.2) * 50 / 1000)
    assert found.of_a_core == pytest.approx(1 / found.cpu)


def test_nothing_sent_costs_nothing_that_could_be_told():
    with pytest.raises(ValueError, match="nothing"):
        cost(result(hold=measured()))


@pytest.mark.parametrize(
    ("rate", "users", "wanted"),
    [(1, 0, 1), (500, 0, 1), (501, 0, 2), (1, MOST_SOCKETS, 1), (1, MOST_SOCKETS + 1, 2)],
)
def test_cores_and_descriptors_bound_a_worker(rate, users, wanted):
    assert workers(1000, rate, users) == wanted


def test_the_command_prints_both_tables(tmp_path):
    file = tmp_path / "result.json"
    file.write_text(result(CLOSED).model_dump_json())
    done = CliRunner().invoke(app, ["cost", str(file)])
    assert done.exit_code == 0
    assert "| a | closed | 1 | 20 | 20 | 25.00 | 40 |" in done.output
    assert "| 100 requests/s | 5 |" in done.output
