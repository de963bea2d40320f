import pytest

from loadtest import scenario_file
from loadtest.spec import SpecError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("name: a\ntarget: {model: intent}\nload: {model: open, shape: 5, seconds: 9}\n")
    return path


@pytest.mark.parametrize("name", scenario_file.names())
def test_ready_scenarios_are_right_and_named_after_their_file(name):
    scenario, texts = scenario_file.read(name, [])
    assert (scenario.name, texts) == (name, None)
    assert scenario.description


def test_fields_are_changed_as_yaml(file):
    changes = ["load.shape=7.5", "connections.requests=3", "expected=[scaling]", "prometheus=null"]
    scenario, _ = scenario_file.read(str(file), changes)
    assert scenario.load.shape.level == 7.5
    assert scenario.connections.requests == 3
    assert (scenario.expected, scenario.prometheus) == (["scaling"], None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["load"], "KEY.KEY=VALUE"),
        (["=3"], "KEY.KEY=VALUE"),
        (["load.shape={"], "load.shape"),
        (["load.seconds=-1"], r"load -> open -> seconds"),
        (["surprise=1"], "surprise"),
        (["texts.file=nowhere.txt"], "nowhere.txt"),
    ],
)
def test_what_is_wrong_is_named(file, changes, said):
    with pytest.raises(SpecError, match=said):
        scenario_file.read(str(file), changes)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(SpecError, match="smoke"):
        scenario_file.read("nothing-like-it", [])


def test_a_file_that_is_no_mapping(tmp_path):
    path = tmp_path / "b.yaml"
    for content in ("- 1\n", "{"):
        path.write_text(content)
        with pytest.raises(SpecError, match=r"b\.yaml"):
            scenario_file.read(str(path), [])


def test_own_texts_lie_beside_the_scenario(file):
    texts = file.parent / "mine.txt"
    texts.write_text("eins\nzwei\n")
    assert scenario_file.read(str(file), ["texts.file=mine.txt"])[1] == "eins\nzwei\n"
    texts.write_text("x" * 1_000_000)
    with pytest.raises(SpecError, match="bytes"):
        scenario_file.read(str(file), ["texts.file=mine.txt"])
