import json

import jsonschema_rs
import pytest
import yaml
from pydantic import BaseModel

from loadtest import scenario_file, schema_files
from nlpserve import load_facts, load_scenarios, load_shapes, load_tests


def test_the_files_are_what_the_code_says(capsys, tmp_path, monkeypatch):
    schema_files.main(["--check"])
    monkeypatch.setattr(schema_files, "FOLDER", tmp_path)
    with pytest.raises(SystemExit):
        schema_files.main(["--check"])
    assert "make generate" in capsys.readouterr().err
    schema_files.main([])
    schema_files.main(["--check"])


@pytest.mark.parametrize("name", scenario_file.names())
def test_the_schema_takes_the_ready_scenarios_and_nothing_unknown(name):
    schema = json.loads((schema_files.FOLDER / "scenario.schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    content = yaml.safe_load(scenario_file.path_of(name).read_text())
    validator.validate(content)
    assert not validator.is_valid(content | {"surprise": 1})


@pytest.mark.parametrize("module", [load_scenarios, load_shapes, load_tests, load_facts])
def test_every_model_says_what_it_is(module):
    models = [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, BaseModel)
    ]
    assert models
    assert [model.__name__ for model in models if not model.__doc__] == []


def test_every_field_of_a_scenario_is_documented():
    schema = json.loads((schema_files.FOLDER / "scenario.schema.json").read_text())
    parts = {"Scenario": schema, **schema["$defs"]}
    silent = [
        f"{part}.{name}"
        for part, content in parts.items()
        for name, field in content.get("properties", {}).items()
        if "description" not in field and "const" not in field
    ]
    assert silent == []
