"""Asking in several processes: each has a studio, and is given cases."""

import tempfile
from pathlib import Path

import torch

from ltx_studio.logs import log_to_file
from ltx_studio.settings import get_settings
from tools.obey.studio import Pictures, Studio
from tools.obey.table import FAMILIES
from tools.obey.trials import Found

SHOWN = 10
"""Clips of each family on its contact sheet."""

Answer = tuple[Found, list[Pictures]]
"""What was found in a case, and the frames of its clips if they are shown."""


class Asker:
    """What each process has: a studio of its own. Not in `__main__`, which spawned processes do not import."""

    studio: Studio

    @classmethod
    def begin(cls, processes: int) -> None:
        """Once in each of so many processes."""
        if processes > 1:
            torch.set_num_threads(1)
        settings = get_settings()
        log_to_file(settings)
        cls.studio = Studio(settings)

    @classmethod
    def ask(cls, name: str, number: int, count: int) -> Answer:
        """One case of a family."""
        with tempfile.TemporaryDirectory() as scratch:
            found = FAMILIES[name].ask(cls.studio.render, number, count, Path(scratch))
        clips = cls.studio.take_pictures()
        return found, clips if number * len(clips) < SHOWN else []
