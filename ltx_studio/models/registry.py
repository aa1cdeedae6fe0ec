"""The known files and sets: the studio's own `registry.toml`, with a user's `models.toml` on top."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ltx_studio import limits
from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError, SetupError
from ltx_studio.families import CAMERA_MOVES, DETAILER, FAMILIES, LTX_2_3, POSE, UNION, Lora, ModelSet, SetFiles
from ltx_studio.graph.model_inputs import loader_table, model_inputs
from ltx_studio.models.control_fragments import CONTROL_MODELS
from ltx_studio.models.filenames import complaint, is_folder
from ltx_studio.models.files import ModelFile
from ltx_studio.settings import Settings
from ltx_studio.text.formatting import quoted

PREVIEWS = "vae_approx"
"""ComfyUI's folder for fast latent previews."""

OWN_FILE = "models.toml"
"""The user's registry in the studio's folder; it has the format of `registry.toml`."""

_REPO = r"^([A-Za-z0-9]([._-]?[A-Za-z0-9_])*/[A-Za-z0-9]([._-]?[A-Za-z0-9_])*)?$"
"""Hugging Face's rule for names, slightly stricter: no `--`, no `..`, only letters and digits at the ends."""

_LARGEST = 10**15
"""Bytes of a file. No current disk holds more."""

_FORMS = {"repo": "owner/name, as on its page", "sha256": "64 hexadecimal digits, or leave it out"}
_PARTS = ("transformer", "text_projection", "video_vae", "audio_vae")
_FILES = ("checkpoint", *_PARTS, "text_encoder", "distilled_lora", "upscaler")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Table):
    repo: Annotated[str, Field(pattern=_REPO, max_length=96)] = ""
    path: str = ""
    bytes: Annotated[int, Field(gt=0, le=_LARGEST)] | None = None
    about: Annotated[int, Field(gt=0, le=_LARGEST)] | None = None
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    licence: str = ""
    gated: bool = False
    use: str = ""
    caution: str = ""
    built: bool = False


class _Set(_Table):
    label: str
    family: str = LTX_2_3.id
    notice: str = ""
    width: int
    height: int
    token_width: Annotated[int, Field(gt=0)]
    guidance_blocks: tuple[int, ...] = ()
    negative_guidance: Annotated[float | None, Field(ge=1, le=30, allow_inf_nan=False)] = None
    checkpoint: str = ""
    transformer: str = ""
    text_projection: str = ""
    video_vae: str = ""
    audio_vae: str = ""
    text_encoder: Annotated[str, Field(min_length=1)]
    text_encoder_loader: Literal["gemma", "pocket"] = "gemma"
    distilled_lora: str = ""
    distilled_strength: Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)] = 0.5
    upscaler: Annotated[str, Field(min_length=1)]
    preview: str = ""
    is_preview: bool = False
    control_models: tuple[str, ...] = ()
    camera: dict[str, str] = Field(default_factory=dict)
    control: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Registry:
    """The known files and model sets. A registry equals only itself, so that what is found from it can be kept by it.

    Attributes:
        files: Files by key, ``folder/name``.
        sets: Model sets by id.
    """

    files: Mapping[str, ModelFile]
    sets: Mapping[str, ModelSet]

    def get_set(self, set_id: str) -> ModelSet:
        """Return a set by its id.

        Raises:
            RequestError: There is no such set.
        """
        if not isinstance(set_id, str) or set_id not in self.sets:  # clients may send any JSON
            raise RequestError(f"There is no model set {quoted(set_id)}.", f"Choose one of: {', '.join(self.sets)}.")
        return self.sets[set_id]

    def get_file(self, name: str) -> ModelFile:
        """Return a file by its key, or by its name alone.

        Raises:
            RequestError: There is no such file, or several.
        """
        found = [file for file in self.files.values() if name in (file.key, file.name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise RequestError(
                f"There are several files {name!r}.", f"Choose one: {', '.join(file.key for file in found)}."
            )
        raise RequestError(
            f"There is no model file {name!r}.", "Use a file of the model set.", advice=Advice.to(Do.LIST_MODELS)
        )

    def needs(self, graph: Mapping[str, Mapping[str, Any]]) -> list[ModelFile]:
        """Return the model files that a graph names, each once; unknown ones have only their name.

        Raises:
            RequestError: A name leaves the models folders, or is not a safetensors file.
        """
        needed: dict[str, ModelFile] = {}
        for item in model_inputs(graph):
            wrong = complaint(item.file)
            if wrong:
                raise RequestError(
                    f"{item.title}: the model file {item.file!r} {wrong}.",
                    "Choose a file in one of ComfyUI's model folders.",
                    advice=Advice.to(Do.NAME_MODEL, given=f"{item.key}=FILE.safetensors"),
                )
            file = self._known(item.file, item.folders)
            if file is not None:
                needed[file.key] = file
        return list(needed.values())

    def _known(self, name: str, folders: tuple[str, ...]) -> ModelFile | None:
        for folder in folders:
            if f"{folder}/{name}" in self.files:
                return self.files[f"{folder}/{name}"]
        if folders:
            return self._alias(name, folders) or ModelFile(folders[0], name)
        return next((file for file in self.files.values() if file.name == name), None)

    def _alias(self, name: str, folders: tuple[str, ...]) -> ModelFile | None:
        """Return the only known file of that name, in any subfolder and letter case; None if there are several."""
        wanted = PurePosixPath(name).name.casefold()
        found = [
            file
            for file in self.files.values()
            if file.folder in folders and PurePosixPath(file.name).name.casefold() == wanted
        ]
        return replace(found[0], name=name, alias_of=found[0].key) if len(found) == 1 else None


def load_registry(own_file: Path | None = None) -> Registry:
    """Read the studio's registry, with `own_file` on top of it if it exists.

    Raises:
        SetupError: `own_file` is invalid.
    """
    text = (resources("ltx_studio.models") / "registry.toml").read_text(encoding="utf-8")
    return _registry(own_file, text, _state(own_file))


@lru_cache(maxsize=8)
def _registry(own_file: Path | None, text: str, state: tuple[int, int] | None) -> Registry:
    tables: dict[str, Any] = tomllib.loads(text)
    if own_file is None or state is None:
        return _build(tables, "registry.toml")
    try:
        own = tomllib.loads(_text_of(own_file))
        unknown = set(own) - {"files", "sets"}
        if unknown:
            raise _wrong(str(own_file), f"unknown table {sorted(unknown)[0]!r}; use [files.…] or [sets.…]")
        for name, table in own.items():
            if not isinstance(table, dict):
                raise _wrong(str(own_file), f"{name!r} is not a table; use [{name}.…]")
        return _build(_merged(tables, own), str(own_file))
    except RecursionError:
        raise _wrong(str(own_file), "it is nested too deeply") from None
    except (OSError, ValueError) as error:
        raise _wrong(str(own_file), str(error)) from None


def _text_of(path: Path) -> str:
    """Return the text of a user's file; its size is bounded because parsing a dotted key takes quadratic time."""
    with path.open("rb") as file:
        content = file.read(limits.MODELS_FILE.most + 1)
    try:
        limits.MODELS_FILE.check(len(content), path.name, is_partial=True)
        text = content.decode("utf-8")
        limits.MODELS_DOTS.check(max(line.count(".") for line in text.split("\n")), path.name)
    except RequestError as error:
        raise SetupError(error.message, f"{error.hint} The file is {path}.", where=str(path)) from None
    return text


def _state(path: Path | None) -> tuple[int, int] | None:
    try:
        state = path.stat() if path is not None else None
    except OSError:
        return None
    return (state.st_size, state.st_mtime_ns) if state is not None else None


def _build(tables: Mapping[str, Any], source: str) -> Registry:
    known = {key: _file(key, table, source) for key, table in tables.get("files", {}).items()}
    declared = tables.get("sets", {})
    sets = {set_id: _set(set_id, _inherited(set_id, declared, source), known, source) for set_id in declared}
    return Registry(known, sets)


def _file(key: str, table: Any, source: str) -> ModelFile:
    said = _checked(_File, table, f"files.{key!r}", source)
    folder, _, name = key.partition("/")
    wrong = complaint(name) if is_folder(folder) else "does not begin with one of ComfyUI's folders, as in checkpoints/"
    path = said.path or name
    if not wrong and complaint(path):
        wrong = f"has a path that {complaint(path)}"
    if said.repo.endswith(".git"):
        wrong = "has a repo that ends in .git; remove that"
    near = get_close_matches(folder, _folders(), 1, 0.8)
    if not wrong and folder not in _folders() and near:
        wrong = f"is in a folder {folder!r} that ComfyUI does not have (did you mean {near[0]}?)"
    if wrong:
        raise _wrong(source, f"files.{key!r} {wrong}")
    return ModelFile(
        folder=folder,
        name=name,
        repo=said.repo,
        path=path if said.repo else "",
        size=said.bytes or said.about or 0,
        exact=said.bytes is not None,
        **said.model_dump(include={"sha256", "licence", "gated", "use", "caution", "built"}),
    )


def _inherited(set_id: str, declared: Mapping[str, Any], source: str, below: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a set's table with the values inherited from the set that it is based on."""
    table = declared.get(set_id)
    if not isinstance(table, dict):
        raise _wrong(source, f"there is no set {set_id!r}, on which {below[-1] if below else 'nothing'!r} is based")
    base = table.get("based_on")
    own = {key: value for key, value in table.items() if key != "based_on"}
    if base is None:
        return own
    own.setdefault("label", set_id)
    if base in (*below, set_id):
        raise _wrong(source, f"sets.{set_id} is based on itself")
    return _merged(_inherited(str(base), declared, source, (*below, set_id)), own)


def _set(set_id: str, table: Mapping[str, Any], known: dict[str, ModelFile], source: str) -> ModelSet:
    said = _checked(_Set, table, f"sets.{set_id}", source)
    _check_set(set_id, said, source)
    family = FAMILIES[said.family]
    parts = {field.name: getattr(said, field.name) for field in fields(SetFiles)}
    fragment = family.loaders(SetFiles(**parts))
    loras = [name for name in (*said.camera.values(), *said.control.values()) if name]
    previews = [said.preview] if said.preview else []
    for name in (*(str(parts[part]) for part in _FILES if parts[part]), *loras, *previews):
        if complaint(name):
            raise _wrong(source, f"sets.{set_id} names {name!r}, which {complaint(name)}")
    named = [(item.folders[0], item.file) for item in model_inputs(fragment.nodes)]
    for folder, name in named:
        if name.startswith(f"{folder}/"):
            raise _wrong(source, f"sets.{set_id} names {name!r}; remove {folder}/, it is implied")
    for folder, name in (*named, *(("loras", name) for name in loras), *((PREVIEWS, name) for name in previews)):
        known.setdefault(f"{folder}/{name}", ModelFile(folder, name))
    return ModelSet(
        id=set_id,
        family=family,
        loaders=fragment,
        camera={move: Lora(file, known[f"loras/{file}"].caution) for move, file in said.camera.items() if file},
        control={kind: Lora(file, known[f"loras/{file}"].caution) for kind, file in said.control.items() if file},
        control_models=frozenset(said.control_models),
        **said.model_dump(
            include={
                *("label", "notice", "width", "height", "token_width", "guidance_blocks", "negative_guidance"),
                *("preview", "is_preview"),
            }
        ),
    )


def _folders() -> set[str]:
    """Return ComfyUI's folders that its loaders search."""
    return {folder for inputs in loader_table().values() for folders in inputs.values() for folder in folders}


def _check_set(set_id: str, said: _Set, source: str) -> None:
    parts = [role for role in _PARTS if getattr(said, role)]
    if not _ID.fullmatch(set_id):
        raise _wrong(source, f"sets.{set_id!r}: an id consists of lower-case letters, digits, '.', '-' and '_'")
    if said.family not in FAMILIES:
        raise _wrong(source, f"sets.{set_id} has an unknown family; use one of: {', '.join(FAMILIES)}")
    geometry = FAMILIES[said.family].geometry
    for name in ("width", "height"):
        pixels = getattr(said, name)
        if pixels % geometry.size_step or not geometry.min_size <= pixels <= geometry.max_size:
            legal = f"a multiple of {geometry.size_step} from {geometry.min_size} to {geometry.max_size}"
            raise _wrong(source, f"sets.{set_id} has an invalid {name}: {pixels} is not {legal}")
    if said.checkpoint and parts:
        raise _wrong(source, f'sets.{set_id} has both a checkpoint and {parts[0]}; remove one with "{parts[0]} = """')
    if not said.checkpoint and len(parts) < len(_PARTS):
        raise _wrong(source, f"sets.{set_id} has neither a checkpoint nor all of {', '.join(_PARTS)}")
    for kind, choices, given in (
        ("camera", CAMERA_MOVES, said.camera),
        ("control", (UNION, DETAILER, POSE), said.control),
        ("control_models", tuple(CONTROL_MODELS), said.control_models),
    ):
        strange = [name for name in given if name not in choices]
        if strange:
            raise _wrong(
                source, f"sets.{set_id}.{kind} has an unknown key {strange[0]!r}; use one of: {', '.join(choices)}"
            )


def _checked(kind: type[Any], table: Any, where: str, source: str) -> Any:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        raise _wrong(source, f"{where} {_told(first, kind)}") from None


def _told(error: Any, kind: type[Any]) -> str:
    """Return pydantic's complaint in our words, to follow the table's name."""
    field = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            near = get_close_matches(field, kind.model_fields, 1)
            return f"has an unknown field {field!r}" + (
                f" (did you mean {near[0]}?)" if near else f"; use one of: {_list(kind)}"
            )
        case "missing":
            return f"lacks {field}; add it, or inherit it with based_on"
        case "string_pattern_mismatch":
            return f"has an invalid {field}; use {_FORMS.get(field, 'another value')}"
        case _:
            return f"has an invalid {field or 'value'}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _list(kind: type[Any]) -> str:
    return ", ".join(kind.model_fields)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `own` merged on top, table by table."""
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _wrong(source: str, what: str) -> SetupError:
    return SetupError(f"{Path(source).name}: {what}.", f"Correct it in {source}.", where=source)


def get_registry(settings: Settings) -> Registry:
    """Return the registry of a studio, including the user's own files and sets.

    Raises:
        SetupError: The user's file is invalid.
    """
    return load_registry(settings.home / OWN_FILE)
