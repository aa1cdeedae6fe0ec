"""A studio whose models.toml names small files of a hub on loopback."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.models import ModelFile, Store
from ltx_studio.models.registry import OWN_FILE
from ltx_studio.settings import Settings
from tests.hub import LoopbackHub, safetensors

SIZE = 3_000_000
REPO = "org/small"

TINY_SET = """
[sets.tiny]
label = "Tiny"
width = 256
height = 256
token_width = 128
checkpoint = "one.safetensors"
text_encoder = "encoder.safetensors"
upscaler = "up.safetensors"
"""
"""A model set for models.toml, of three files."""


@dataclass
class Shop:
    """A hub, and a studio that knows its files."""

    hub: LoopbackHub
    settings: Settings

    def add(self, name: str, *, folder: str = "loras", size: int = SIZE, repo: str = REPO, **table: Any) -> ModelFile:
        """Put a file on the hub and into the studio's models.toml."""
        self.hub.put(repo, name, safetensors(size, seed=len(self.hub.blobs)))
        return self.know(name, folder=folder, repo=repo, **table)

    def add_in_xet(self, name: str, **options: Any) -> ModelFile:
        """Put a file on the hub, into Xet, and into the studio's models.toml."""
        file = self.add(name, **options)
        self.hub.put_into_xet(self.contents(file), self.settings.home.parent / "xet-store")
        return file

    def know(self, name: str, *, folder: str = "loras", **table: Any) -> ModelFile:
        """Put a file into the studio's models.toml."""
        own = self.settings.home / OWN_FILE
        own.parent.mkdir(parents=True, exist_ok=True)
        lines = [f'[files."{folder}/{name}"]']
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        with own.open("a") as file:
            file.write("\n".join(lines) + "\n")
        return self.store().registry.files[f"{folder}/{name}"]

    def store(self, token: str | None = None) -> Store:
        return Store(self.settings, token=token)

    def contents(self, file: ModelFile) -> bytes:
        return self.hub.repos[file.repo].files[file.path]

    def cached(self, file: ModelFile) -> Path:
        """What an untouched `huggingface_hub` finds, offline."""
        from huggingface_hub import hf_hub_download

        found = hf_hub_download(
            file.repo, file.path, cache_dir=self.settings.hub_cache, endpoint=self.hub.url, local_files_only=True
        )
        return Path(found)

    def environment(self, **changes: str) -> dict[str, str]:
        """For a process of its own."""
        ours = {"LTX_STUDIO_HOME": str(self.settings.home), "HF_HUB_CACHE": str(self.settings.hub_cache)}
        return {**os.environ, **ours, "HF_ENDPOINT": self.hub.url, "HF_HUB_DISABLE_TELEMETRY": "1", **changes}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet-cache"))  # where hf_xet writes its logs
    with LoopbackHub().running() as hub:
        yield Shop(hub, Settings(home=tmp_path / "home", hub_cache=tmp_path / "cache", hub_endpoint=hub.url))
