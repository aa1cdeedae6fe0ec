"""A model in the shared Hugging Face cache is as the user's other files, though the studio keeps its own to itself."""

import os
import stat
from collections.abc import Iterator

import pytest

from ltx_studio import permissions
from ltx_studio.downloads import ensure_models
from ltx_studio.events import Finished
from tests.shop import Shop

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes mean something else on Windows")


@pytest.fixture(autouse=True)
def private() -> Iterator[None]:
    """As a process of the studio's, for a user whose umask is that of most."""
    before = os.umask(0o022)
    kept, permissions._umask.users = permissions._umask.users, None
    permissions.make_private()
    yield
    permissions._umask.users = kept
    os.umask(before)


def test_what_is_fetched_into_the_cache_can_be_read_by_those_who_share_it(shop: Shop) -> None:
    file = shop.add("a.safetensors")

    *_, ended = ensure_models([file], shop.store())

    assert isinstance(ended, Finished)
    cache = shop.settings.hub_cache
    assert cache is not None
    hidden = [
        path
        for path in (cache, *cache.rglob("*"))
        if not path.is_symlink() and not path.lstat().st_mode & (stat.S_IROTH if path.is_file() else stat.S_IXOTH)
    ]
    assert hidden == []
