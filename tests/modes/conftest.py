"""What requests for each mode look like."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.samples import draw_samples
from tests.support import SMALL

Request = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return draw_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def small(samples: Mapping[str, Path]) -> Request:
    """``small("i2v", seed=3)``: a whole request for a mode, 17 frames of 128×128, with changes."""
    files = {
        "t2v": {},
        "a2v": {"audio": samples["sound"]},
        "i2v": {"image": samples["image"]},
        "lipsync": {"image": samples["image"], "audio": samples["sound"]},
        "keyframe": {"first_image": samples["image"], "last_image": samples["last"]},
        "style": {"clip": samples["clip"]},
    }

    def request(mode: str, **changes: Any) -> dict[str, Any]:
        return {**SMALL, **files[mode], **changes}

    return request
