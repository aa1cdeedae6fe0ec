"""Worker processes for the cases: each has a studio."""

import tempfile
from pathlib import Path

import torch

from lab.obey.renderer import Pictures, Renderer
from lab.obey.table import FAMILIES
from lab.obey.trials import Found
from ltx_studio.logs import log_to_file
from ltx_studio.settings import get_settings

SHOWN = 10
"""Clips of each family on its contact sheet."""

Answer = tuple[Found, list[Pictures]]
"""The findings in a case, and the frames of its clips if they are shown."""


class Asker:
    """The state of each process: a studio. Not in `__main__`, which spawned processes do not import."""

    renderer: Renderer

    @classmethod
    def begin(cls, processes: int) -> None:
        """Set up the state, once in each of `processes` processes."""
        if processes > 1:
            torch.set_num_threads(1)
        settings = get_settings()
        log_to_file(settings)
        cls.renderer = Renderer(settings)

    @classmethod
    def ask(cls, name: str, number: int, count: int) -> Answer:
        """Run one case of a family."""
        with tempfile.TemporaryDirectory() as scratch:
            found = FAMILIES[name].ask(cls.renderer.render, number, count, Path(scratch))
        clips = cls.renderer.take_pictures()
        return found, clips if number * len(clips) < SHOWN else []
