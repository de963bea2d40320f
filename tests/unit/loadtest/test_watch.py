import pytest

from loadtest.generator import watch
from loadtest.generator.watch import Watch
from nlpserve.load_results import Counts

NOTHING = {"connections": 0, "closed_idle": 0, "closed_by_answer": 0, "closed_by_plan": 0}


def test_sockets_in_use_and_in_time_wait(tmp_path):
    file = tmp_path / "sockstat"
    file.write_text("sockets: used 9\nTCP: inuse 5 orphan 0 tw 7 alloc 8 mem 1\nUDP: inuse 1\n")
    assert watch.sockets(file) == (5, 7)
    assert watch.sockets(tmp_path / "none") == (0, 0)


@pytest.mark.parametrize(("text", "found"), [("500m", 0.5), ("1", 1), ("4", 1), ("0.25", 0.25)])
def test_a_process_uses_one_core_at_most(text, found):
    assert watch.cores(text) == found


def test_only_the_hold_counts_for_sockets_and_cpu(monkeypatch):
    clock = iter([0.0, 0.0, 10.0, 12.0, 14.0, 16.0])
    cpu = iter([0.0, 0.0, 9.0, 9.5, 10.5, 20.0])
    in_use = iter([(3, 0), (11, 5), (9, 0), (0, 0)])
    monkeypatch.setattr(watch.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(watch.time, "process_time", lambda: next(cpu))
    monkeypatch.setattr(watch, "sockets", lambda: next(in_use))
    found = Watch("500m", listeners=1)
    found.begin()
    seen = [found.sample(hold=hold) for hold in (False, True, True, False)]
    assert seen == [1, 9, 7, 0]
    facts = found.facts(index=0, pod="p", counts=Counts(), connections=NOTHING)
    assert (facts.sockets_least, facts.sockets_most, facts.ports_most) == (7, 9, 16)
    assert facts.cpu_share == pytest.approx(1.5 / 4 / 0.5)
    assert facts.cpu_share_most == pytest.approx(1.0 / 2 / 0.5)


def test_a_worker_that_stands_still_a_quarter_of_the_time_is_late():
    found = Watch("1")
    for _ in range(30):
        for _ in range(6 * 20):
            found.lag(0.001, hold=True)
        found.lag(2.0, hold=True)
    facts = found.facts(index=0, pod="p", counts=Counts(), connections=NOTHING)
    assert facts.lag_p99 > 1.5
    assert facts.lag_most == pytest.approx(2.0, rel=0.05)


def test_a_stall_outside_the_hold_is_nobodys():
    found = Watch("1")
    found.lag(2.0, hold=False)
    found.lag(0.001, hold=True)
    facts = found.facts(index=0, pod="p", counts=Counts(), connections=NOTHING)
    assert facts.lag_most < 0.01


@pytest.mark.parametrize(("seconds", "looks"), [(-0.001, 1), (0, 1), (0.04, 1), (0.12, 3)])
def test_looks_that_a_stall_kept_from_being_were_late_too(seconds, looks):
    late = watch.missed(seconds)
    assert len(late) == looks
    assert late[0] == max(0, seconds)
    assert late == sorted(late, reverse=True)
    assert late[-1] >= 0
