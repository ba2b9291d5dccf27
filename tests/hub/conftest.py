import pytest
from tests.servers import KINDS


@pytest.fixture(params=KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    """Every test here runs on both."""
    return str(request.param)
