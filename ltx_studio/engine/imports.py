"""Import ComfyUI's packages before its process is forked, where each forked process would import them anew."""

import contextlib
import importlib

from ltx_studio.engine.boot import leave_the_processor_to_others
from ltx_studio.garbage import uncollected

PACKAGES = (
    "aiohttp", "torch", "torchvision", "torchaudio", "transformers", "transformers.models.clip.modeling_clip",
    "safetensors.torch", "sentencepiece", "scipy.stats", "scipy.integrate", "torchsde", "einops", "av", "kornia",
    "spandrel", "sqlalchemy.orm", "alembic.command", "requests",
)  # fmt: skip
"""What takes longest when ComfyUI 0.30.0 starts, and touches no GPU: three quarters of its 15 seconds of processor.

`aiohttp` is also here because a forked process that is the first to import it can wait forever for a lock of OpenSSL.
"""


def import_packages() -> None:
    """Import them; what is missing is reported when ComfyUI starts."""
    leave_the_processor_to_others()
    with uncollected():
        for name in PACKAGES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
