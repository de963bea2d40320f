import json
import random
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bento.train import code
from bento.train.code import code_digests
from bento.train.errors import TrainError
from bento.train.lock import LOCK, Record, path_sha256, read_lock, why_run
from bento.train.steps import Step, run_steps

DIGEST = "0" * 64
OTHER = "1" * 64


def copy_upper(task, calls):
    calls.append(task.outputs["out"])
    task.outputs["out"].write_text(task.inputs["text"].read_text().upper())


@pytest.fixture
def world(tmp_path):
    (tmp_path / "text.txt").write_text("abc")
    calls = []
    step = Step(
        "upper",
        "Write it larger.",
        partial(copy_upper, calls=calls),
        inputs={"text": tmp_path / "text.txt"},
        outputs={"out": tmp_path / "work" / "upper.txt"},
        modules=["bento.train.errors"],
        settings={"size": 3},
        seed=7,
    )
    return tmp_path, step, calls


def results(steps, work, **options):
    ran = run_steps(steps, work, **options)
    return [(result.step, result.ran, result.reason) for result in ran]


def changed(step, **fields):
    names = step.__dataclass_fields__
    return Step(**{name: getattr(step, name) for name in names} | fields)


def test_a_step_runs_once_and_is_skipped_while_nothing_changes(world):
    folder, step, calls = world
    assert results([step], folder / "work") == [("upper", True, "never done")]
    assert (folder / "work/upper.txt").read_text() == "ABC"
    assert results([step], folder / "work") == [("upper", False, "nothing changed")]
    assert len(calls) == 1


def test_force_runs_it_again(world):
    folder, step, calls = world
    results([step], folder / "work")
    assert results([step], folder / "work", force=True) == [("upper", True, "forced")]
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"settings": {"size": 4}}, "setting size changed"),
        ({"settings": {}}, "setting size changed"),
        ({"seed": 8}, "the seed changed"),
        (
            {"modules": ["bento.train.errors", "bento.train.tables"]},
            "code bento.train.tables changed",
        ),
    ],
)
def test_a_changed_declaration_runs_it_again(world, fields, reason):
    folder, step, _ = world
    results([step], folder / "work")
    assert results([changed(step, **fields)], folder / "work") == [("upper", True, reason)]


def test_a_changed_input_or_output_runs_it_again(world):
    folder, step, _ = world
    results([step], folder / "work")
    (folder / "text.txt").write_text("xyz")
    assert results([step], folder / "work") == [("upper", True, "input text changed")]
    (folder / "work/upper.txt").write_text("by hand")
    assert results([step], folder / "work")[0][2] == "output out was changed by hand"
    (folder / "work/upper.txt").unlink()
    assert results([step], folder / "work")[0][2] == "output out is missing"
    assert (folder / "work/upper.txt").read_text() == "XYZ"


def test_an_unfinished_step_leaves_no_output_and_no_record(world):
    folder, step, _ = world

    def breaks(task):
        task.outputs["out"].write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        results([changed(step, run=breaks)], folder / "work")
    assert [path.name for path in (folder / "work").iterdir()] == [".running"]
    assert results([step], folder / "work") == [("upper", True, "never done")]


def test_an_unfinished_rerun_keeps_the_old_output(world):
    folder, step, _ = world
    results([step], folder / "work")
    before = (folder / "work" / LOCK).read_bytes()

    def breaks(task):
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        results([changed(step, run=breaks, seed=1)], folder / "work")
    assert (folder / "work/upper.txt").read_text() == "ABC"
    assert (folder / "work" / LOCK).read_bytes() == before


def test_what_a_killed_run_left_is_removed(world):
    folder, step, _ = world
    (folder / "work/.upper-abc").mkdir(parents=True)
    results([step], folder / "work")
    assert not (folder / "work/.upper-abc").exists()


def test_two_runs_in_one_folder_are_refused(world):
    folder, step, _ = world

    def run_inside(task):
        with pytest.raises(TrainError, match="steps are running there already"):
            results([step], folder / "work")
        task.outputs["out"].write_text("outer")

    results([changed(step, run=run_inside)], folder / "work")
    assert (folder / "work/upper.txt").read_text() == "outer"
    assert results([step], folder / "work") == [("upper", False, "nothing changed")]


def test_an_output_that_was_not_written_is_an_error(world):
    folder, step, _ = world
    with pytest.raises(TrainError, match=r"\[upper -> out\] the step ended without writing it"):
        results([changed(step, run=lambda task: None)], folder / "work")
    assert not (folder / "work" / LOCK).exists()


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    def write(task, names):
        task.outputs["model"].mkdir()
        for name in names:
            (task.outputs["model"] / name).write_text(name)

    def step(*names):
        return Step(
            "train",
            "",
            partial(write, names=names),
            outputs={"model": tmp_path / "model"},
            settings={"names": ",".join(names)},
        )

    results([step("a", "b")], tmp_path)
    results([step("c")], tmp_path)
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["c"]


def test_a_change_runs_through_to_later_steps(world):
    folder, step, calls = world
    second = Step(
        "again",
        "",
        partial(copy_upper, calls=calls),
        inputs={"text": step.outputs["out"]},
        outputs={"out": folder / "work/again.txt"},
    )
    results([step, second], folder / "work")
    (folder / "text.txt").write_text("new")
    ran = results([step, second], folder / "work")
    assert [entry[2] for entry in ran] == ["input text changed", "input text changed"]
    assert (folder / "work/again.txt").read_text() == "NEW"


def test_steps_before_a_failing_one_stay_done(world):
    folder, step, _ = world
    missing = Step("next", "", lambda task: None, inputs={"data": folder / "none.json"})
    with pytest.raises(TrainError, match=r"\[next -> data\] .*none.json is missing"):
        results([step, missing], folder / "work")
    assert results([step], folder / "work") == [("upper", False, "nothing changed")]


def test_wrong_declarations_are_named(world):
    folder, step, _ = world
    with pytest.raises(TrainError, match="two steps have this name"):
        results([step, step], folder)
    with pytest.raises(TrainError, match=r"\[other -> out\] upper makes"):
        results([step, changed(step, name="other")], folder)
    early = Step("early", "", lambda task: None, inputs={"x": step.outputs["out"]})
    with pytest.raises(TrainError, match=r"\[early -> x\] upper makes it, but runs later"):
        results([early, step], folder)
    with pytest.raises(TrainError, match=r"no module bento\.train\.nothing"):
        results([changed(step, modules=["bento.train.nothing"])], folder)


def test_the_seed_is_set_before_each_step(tmp_path):
    drawn = []

    def draw(task):
        drawn.append((random.random(), np.random.rand(), task.seed))

    for _ in range(2):
        list(run_steps([Step("draw", "", draw, seed=5)], tmp_path, force=True))
    assert drawn[0] == drawn[1]
    assert drawn[0][2] == 5


def test_a_damaged_lock_is_named(world):
    folder, step, _ = world
    work = folder / "work"
    results([step], work)
    content = json.loads((work / LOCK).read_text())
    content["steps"]["upper"]["inputs"]["text"] = "short"
    (work / LOCK).write_text(json.dumps(content))
    with pytest.raises(TrainError, match=r"\[steps.lock.json -> steps -> upper -> inputs"):
        results([step], work)
    (work / LOCK).write_text("{")
    with pytest.raises(TrainError, match=r"delete .* to run all again"):
        read_lock(work / LOCK)


def test_the_lock_names_no_place_on_this_machine(world):
    folder, step, _ = world
    results([step], folder / "work")
    assert str(folder) not in (folder / "work" / LOCK).read_text()


def test_folder_digest_sees_names_and_contents(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_text("1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/y").write_text("1")
    assert path_sha256(tmp_path / "a") != path_sha256(tmp_path / "b")
    (tmp_path / "b/y").rename(tmp_path / "b/x")
    assert path_sha256(tmp_path / "a") == path_sha256(tmp_path / "b")


def test_a_package_stands_for_its_modules():
    package = Path(__file__).parents[3] / "bento/train/emotion"
    names = {f"bento.train.emotion.{path.stem}" for path in package.glob("*.py")}
    names = {name.removesuffix(".__init__") for name in names}
    assert len(names) > 5
    assert names <= code_digests(["bento.train.emotion"]).keys()


def test_what_a_module_imports_counts_wherever_it_imports_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(code, "OURS", "made_up")
    folder = tmp_path / "made_up"
    folder.mkdir()
    sources = {
        "__init__": "",
        "step": "def run():\n    from made_up import near\n    import json",
        "near": "import made_up.far\nfrom made_up.far import NUMBER",
        "far": "NUMBER = 1",
        "other": "NUMBER = 2",
    }
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    before = code_digests(["made_up.step"])
    assert before.keys() == {"made_up.step", "made_up.near", "made_up.far"}
    (folder / "far.py").write_text("NUMBER = 3")
    after = code_digests(["made_up.step"])
    assert {name for name in before if before[name] != after[name]} == {"made_up.far"}


def record(**fields):
    base = {"seed": 0, "settings": {}, "code": {}, "inputs": {}, "outputs": {}, "seconds": 0.0}
    return Record(**base | fields)


def test_a_dropped_output_or_input_is_a_change():
    done = record(inputs={"a": DIGEST}, outputs={"o": DIGEST})
    assert why_run(done, record(), {"o": DIGEST}) == "input a changed"
    assert why_run(done, record(inputs={"a": DIGEST}), {"o": DIGEST}) is None
    assert why_run(done, record(inputs={"a": DIGEST}), {"o": OTHER}) is not None
    assert why_run(done, record(inputs={"a": DIGEST}), {"o": DIGEST, "p": None}) is not None
