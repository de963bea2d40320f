"""Writes the JSON Schemas of scenario and result: `python -m loadtest.schema_files [--check]`."""

import json
import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from nlpserve import pages
from nlpserve.load_scenarios import Scenario
from nlpserve.load_tests import LoadTestResult

FOLDER: Final = Path(__file__).parent / "schemas"
MODELS: Final[dict[str, type[BaseModel]]] = {
    "scenario.schema.json": Scenario,
    "result.schema.json": LoadTestResult,
}


def text(model: type[BaseModel]) -> str:
    """The schema, as the file has it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> None:
    """Write them, or with `--check` say which are not what the code says."""
    wanted = {FOLDER / name: text(model) for name, model in MODELS.items()}
    pages.write(wanted, source="the code", check="--check" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
