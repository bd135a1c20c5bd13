"""What tests of several rooms share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from support.aws import CREDENTIALS, Aws, moto_server

settings.register_profile("patient", deadline=None)
if settings.get_current_profile_name() == "default":  # else the mutation check's is in force
    settings.load_profile("patient")  # a busy machine is no fault of the code


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """AWS as moto plays it, one for each test process; credentials are in the environment meanwhile."""
    with pytest.MonkeyPatch.context() as patch, moto_server() as server:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield server
