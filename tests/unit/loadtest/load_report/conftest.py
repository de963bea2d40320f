import pytest

from tests.unit.loadtest.sample_result import make_result


@pytest.fixture
def sample():
    return make_result
