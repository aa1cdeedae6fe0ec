"""The studio on a Hugging Face Space with ZeroGPU."""

from collections.abc import Mapping
from typing import get_args

from ltx_studio.queue.database import Database
from ltx_studio.runners.protocol import Buildable
from ltx_studio.settings import Settings
from ltx_studio.studio import Spec
from ltx_studio.studio.studio import Studio
from ltx_studio.studio.takes import Takes

_SPECS = get_args(Spec)


def is_zerogpu(environ: Mapping[str, str]) -> bool:
    """Return whether the platform lends GPUs to the visitors of this process."""
    return environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def open_on_zerogpu(settings: Settings) -> Studio:
    """Return a studio that carries each job out in its visitor's request, on a GPU that is lent to them.

    Raises:
        DatabaseDamagedError: The database is damaged.
        SetupError: The database or its folder cannot be used.
    """
    from ltx_studio.runners.zerogpu import ZeroGPURunner

    takes = Takes(settings, Database(settings.database_file))

    def expected(spec: Buildable) -> float | None:
        estimate = takes.estimate(spec) if isinstance(spec, _SPECS) else None
        return None if estimate is None else estimate.seconds

    return Studio(settings, ZeroGPURunner(settings, expected), works=True, in_request=True)
