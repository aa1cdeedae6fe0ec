"""What workers must have in common with the studio that they work for: versions, and the contents of model files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ltx_studio import __version__
from ltx_studio.engine import comfyui
from ltx_studio.errors import StudioError
from ltx_studio.models import Store
from ltx_studio.models.verify import known_sha256
from ltx_studio.settings import Settings


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The parts of an installation that change what a request becomes.

    Attributes:
        studio: The studio's version.
        comfyui: ComfyUI's version; empty if it is not installed.
        files: For each complete model file: its size, and its SHA-256 where it is known without reading the file.
        model_sets: The ids of the model sets whose files are all there.
    """

    studio: str
    comfyui: str
    files: Mapping[str, tuple[int, str]]
    model_sets: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the fingerprint of a studio's home. Looks at files only.

        Raises:
            SetupError: The user's model registry is invalid.
        """
        try:
            version = comfyui.find(settings).version
        except StudioError:
            version = ""
        store = Store(settings)
        files: dict[str, tuple[int, str]] = {}
        complete = []
        for model_set in store.registry.sets.values():
            found = {file: store.find(file) for file in store.registry.needs(model_set.loaders.nodes)}
            files |= {file.key: (at.size, known_sha256(file, at.path)) for file, at in found.items() if at is not None}
            if all(found.values()):
                complete.append(model_set.id)
        return cls(__version__, version, files, tuple(complete))

    def to_dict(self) -> dict[str, Any]:
        """Return it as built-in types, which any version can read."""
        files = {key: list(mark) for key, mark in self.files.items()}
        return {
            "studio": self.studio,
            "comfyui": self.comfyui,
            "files": files,
            "model_sets": list(self.model_sets),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `to_dict` stored; what is missing is empty."""
        files = {key: (int(size), str(sha256)) for key, (size, sha256) in plain.get("files", {}).items()}
        versions = str(plain.get("studio", "")), str(plain.get("comfyui", ""))
        return cls(*versions, files, tuple(plain.get("model_sets", ())))


def mismatch(studio: Fingerprint, worker: Fingerprint) -> str:
    """Return why a worker must not work for a studio, as a sentence; empty if it may.

    Model files that only one of them has do no harm: a worker gets no jobs whose model set it lacks.
    """
    if worker.studio != studio.studio:
        return f"It has LTX 2.3 Studio {worker.studio or '(unknown version)'}; this studio has {studio.studio}."
    if worker.comfyui != studio.comfyui and studio.comfyui:
        return f"It has {_comfyui(worker.comfyui)}; this studio has {_comfyui(studio.comfyui)}."
    differing = [key for key, mark in worker.files.items() if key in studio.files and _differ(mark, studio.files[key])]
    if differing:
        others = f" (and {len(differing) - 1} more)" if len(differing) > 1 else ""
        return f"Its model file {differing[0]}{others} differs from this studio's."
    if studio.model_sets and not set(worker.model_sets) & set(studio.model_sets):
        return f"It has none of this studio's model sets: {', '.join(studio.model_sets)}."
    return ""


def _comfyui(version: str) -> str:
    return f"ComfyUI {version}" if version else "no ComfyUI"


def _differ(one: tuple[int, str], other: tuple[int, str]) -> bool:
    return one[0] != other[0] or bool(one[1] and other[1] and one[1] != other[1])
