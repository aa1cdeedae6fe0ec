"""One host process for all tests of a module: it takes a while to start."""

from collections.abc import Iterator

import pytest

from ltx_studio.settings import Settings
from tests.runners.zerogpu.hosted.hosts import HostProcess


@pytest.fixture(scope="session")
def shared_host(set_up: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    host = HostProcess(set_up, tmp_path_factory.mktemp("zerogpu") / "home")
    yield host
    host.close()


@pytest.fixture
def host(shared_host: HostProcess) -> HostProcess:
    """The host, whose device API has forgotten earlier tests."""
    shared_host.api.forget()
    return shared_host
