"""Schemathesis over /docs.json: nothing that it makes up gets a 5xx or an undocumented answer.

Seeded and bounded, so that the same requests are sent each time. Its own pytest plugin does not
know this pytest, so its operations are tried here by hand.
"""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.service.harness import Change

EXAMPLES = 25
# What the document cannot say: a tensor's shape must fit its data.
NOT_SAID = {
    f"POST /v2/models/{model}/infer": [positive_data_acceptance] for model in ("intent", "emotion")
}
CONFIG = schemathesis.Config.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": [400, 404, 413, 415, 422]}}}
)
SEEDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def operations(server):
    document = schemathesis.openapi.from_url(server.url + "/docs.json", config=CONFIG)
    return [result.ok() for result in document.get_all_operations()]


def try_operation(operation, mode, session):
    """Raise what Schemathesis found wrong in the answers of this operation."""

    @SEEDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers_as_documented(case):
        case.call_and_validate(
            session=session, timeout=20, excluded_checks=NOT_SAID.get(operation.label, [])
        )

    try:
        answers_as_documented()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # of a route where nothing can be got wrong


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_documented(server, operations, mode):
    change = Change(server)
    wrong = {}
    with requests.Session() as session:
        for operation in operations:
            try:
                try_operation(operation, mode, session)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  all are tried
                wrong[operation.label] = str(error)
    assert not wrong, "\n\n".join(f"{label}: {error}" for label, error in wrong.items())
    codes = change.take().by("requests_total", "code")
    assert sum(codes.values()) > EXAMPLES
    assert not [code for code in codes if code.startswith("5")]
    assert ("200" in codes) if mode is GenerationMode.POSITIVE else (set(codes) - {"200"})
