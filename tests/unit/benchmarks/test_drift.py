import pytest
import typer
from typer.testing import CliRunner

from benchmarks.drift import __main__ as drift
from benchmarks.drift.results import DriftCost


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Runs the command for one model in one round; its exit code and its result."""
    monkeypatch.setattr(drift, "MODELS", {"intent": "fr"})
    app = typer.Typer()
    app.command()(drift.main)
    out = tmp_path / "new" / "drift.json"

    def run(most_share):
        monkeypatch.setattr(drift, "MOST_SHARE", most_share)
        done = CliRunner().invoke(app, ["--out", str(out), "--rounds", "1"])
        return done.exit_code, DriftCost.model_validate_json(out.read_bytes())

    return run


def test_a_share_is_drift_over_model_and_the_exit_code_judges_it(measure):
    code, result = measure(1e9)
    assert code == 0
    (cost,) = result.models
    assert cost.sampled_us > 0
    assert cost.share_when_each_is_sampled == pytest.approx(cost.sampled_us / cost.lone_us)
    assert 0 < cost.share_under_full_load < cost.share_when_each_is_sampled
    assert cost.share_of_rare_batches > cost.share_under_full_load
    sampled = result.documents_per_second * cost.sampled_us * 1e-6
    most = max(sampled, cost.share_under_full_load)
    assert result.most_of_a_core(cost) == pytest.approx(most)
    assert measure(0.0)[0] == 1
