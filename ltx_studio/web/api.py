"""The API for `gradio_client`: one typed endpoint for each mode, and endpoints for the queue and the history."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from gradio.events import api
from gradio.utils import get_upload_folder
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ltx_studio import limits
from ltx_studio.errors import RequestError, StudioError
from ltx_studio.families import ModelSet, all_presets
from ltx_studio.families.default_preset import default_preset
from ltx_studio.graph.form import FILES, FieldIndex, others_of
from ltx_studio.models import Registry, get_registry
from ltx_studio.modes import MODES, Media, Mode, get_mode
from ltx_studio.studio import Failed, Job, JobSpec, Spec, Studio
from ltx_studio.web import words
from ltx_studio.web.access.owners import Owners
from ltx_studio.web.access.redaction import Redaction
from ltx_studio.web.access.values import check_values
from ltx_studio.web.files import private_copy
from ltx_studio.web.model_api import ModelEndpoints

log = logging.getLogger(__name__)

Json = dict[str, Any]
MOST = limits.TABLE_ROWS.most


class Api:
    """The endpoints of one studio. They take and return JSON; files are `gradio.FileData`."""

    def __init__(self, studio: Studio, owners: Owners, model_set: ModelSet) -> None:
        self._studio, self._owners, self._model_set = studio, owners, model_set
        self._redaction = Redaction(studio.settings, owners)
        self._preset = default_preset(studio.settings, model_set.family).id
        self._models = ModelEndpoints(studio.models, self._redaction)

    def build(self) -> None:
        """Add the endpoints to the open Blocks."""
        for mode in MODES.values():
            api(self._telling(self._endpoint(mode)), api_name=mode.id, api_description=f"{mode.label}: submit a job.")
        for function in (
            self.batch, self.jobs, self.job, self.cancel, self.retry, self.move, self.pause, self.takes, self.take,
            self.favourite, self.tag, self.delete, self.prune, self.recipe, self.workflow_form, self.workflow,
            *self._models.at_once,
        ):  # fmt: skip
            api(self._telling(function), api_name=function.__name__, queue=False)
        for stream in (self.follow, self._models.follow_download):
            api(self._telling(stream), api_name=stream.__name__, concurrency_limit=None)

    def _telling(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its `StudioError`s as `gr.Error`, whose message reaches clients."""
        types = _types(function)

        @wraps(function)
        def call(*given: Any, **named: Any) -> Any:
            try:
                return function(*_checked(types, given), **named)
            except StudioError as error:
                raise self._gradio_error(error) from None

        @wraps(function)
        def stream(*given: Any, **named: Any) -> Any:
            try:
                yield from function(*_checked(types, given), **named)
            except StudioError as error:
                raise self._gradio_error(error) from None

        return stream if inspect.isgeneratorfunction(function) else call

    def _gradio_error(self, error: StudioError) -> gr.Error:
        told = self._redaction.told(error)
        return gr.Error(f"{told.message} {told.hint}", title=told.code, print_exception=False)

    def _job(self, job: Job) -> Json:
        """Return a job as JSON, as clients receive it."""
        told: Json = job.as_dict()
        if isinstance(job.state, Failed):
            told["error"] = self._redaction.told(job.state.error).as_dict()
        return told

    def _endpoint(self, mode: Mode) -> Callable[..., Json]:
        """Return a function whose signature has the parameters that the mode declares."""
        fields = mode.params.model_fields
        parameters = [_parameter(name, fields[name], _media_of(mode, name)) for name in fields]
        parameters.sort(key=lambda each: each.default is not inspect.Parameter.empty)
        own = [
            inspect.Parameter("preset", _KIND, default=self._preset, annotation=Literal[tuple(all_presets())]),
            inspect.Parameter("model_set", _KIND, default=None, annotation=str | None),
        ]
        asker = inspect.Parameter("request", _KIND, default=None, annotation=gr.Request)
        signature = inspect.Signature([*parameters, *own, asker], return_annotation=Json)

        def endpoint(*given: Any, **named: Any) -> Json:
            values = signature.bind(*given, **named).arguments
            request = values.pop("request")
            spec = _spec(mode.id, values, self._model_set, self._preset, get_registry(self._studio.settings))
            notes = spec.notes()  # before it is submitted: a file may be gone
            (job,) = self._submit([spec], request)
            return self._job(self._studio.jobs.get(job, self._owners.of(request))) | {"notes": notes}

        endpoint.__name__ = mode.id
        endpoint.__signature__ = signature  # type: ignore[attr-defined]
        endpoint.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
        endpoint.__annotations__["return"] = Json
        return endpoint

    def batch(self, requests: list[Json], request: gr.Request) -> list[str]:
        """Submit many requests, all or none: each with ``mode`` and the inputs of its endpoint. Return the job ids."""
        if not 0 < len(requests) <= MOST:
            raise RequestError(f"There are {len(requests)} requests.", f"Send 1 to {MOST}.")
        specs, registry = [], get_registry(self._studio.settings)
        for number, each in enumerate(requests, 1):
            values = dict(each)
            try:
                specs.append(_spec(str(values.pop("mode", "")), values, self._model_set, self._preset, registry))
            except RequestError as error:
                raise RequestError(f"Request {number}: {error.message}", error.hint, advice=error.advice) from None
        return self._submit(specs, request)

    def _submit(self, specs: Sequence[Spec], request: gr.Request) -> list[str]:
        return self._studio.jobs.submit(self._owners.of(request), specs)

    def jobs(self, request: gr.Request, limit: int = 50) -> list[Json]:
        """Return the running job, the waiting jobs in queue order, then the jobs that ended last."""
        return [self._job(job) for job in self._studio.jobs.of(self._owners.of(request), limit=_within(limit))]

    def job(self, job: str, request: gr.Request) -> Json:
        """Return a job; a failed one has its error, a finished one its take."""
        return self._job(self._studio.jobs.get(job, self._owners.of(request)))

    def follow(self, job: str, request: gr.Request) -> Iterator[Json]:
        """Stream a job each time it changes, until it has ended."""
        told: Json = {}
        with closing(self._studio.follow(job, self._owners.of(request))) as followed:
            for each in followed:
                if self._job(each) != told:
                    told = self._job(each)
                    yield told

    def cancel(self, job: str, request: gr.Request) -> Json:
        """Remove a waiting job from the queue, or stop a running one."""
        return self._job(self._studio.jobs.cancel(job, self._owners.of(request)))

    def retry(self, job: str, request: gr.Request) -> Json:
        """Put a job that failed or was stopped back at the end of the queue."""
        return self._job(self._studio.jobs.retry(job, self._owners.of(request)))

    def move(self, job: str, place: int, request: gr.Request) -> list[Json]:
        """Move a waiting job to a place in the queue, where 1 is the next. Return all jobs."""
        self._studio.jobs.move(job, self._owners.of(request), place - 1)
        return self.jobs(request)

    def pause(self, paused: bool, request: gr.Request) -> bool:
        """Pause or resume the queue. While it is paused, no job starts; a running one continues."""
        change = self._studio.jobs.pause if paused else self._studio.jobs.resume
        change(self._owners.of(request))
        return paused

    def takes(
        self,
        request: gr.Request,
        search: str = "",
        mode: str | None = None,
        favourites: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> Json:
        """Return the newest takes that match; pass the result's ``before`` to get the next page."""
        page = self._studio.takes.page(
            self._owners.of(request),
            search=search,
            mode=mode,
            favourites=favourites,
            before=before,
            limit=_within(limit),
        )
        shown = [take.as_dict() | {"missing": self._studio.takes.is_missing(take)} for take in page.takes]
        return {"takes": shown, "before": page.before}

    def take(self, take: str, request: gr.Request) -> tuple[gr.FileData, Json]:
        """Return a take's video and its recipe."""
        found = self._studio.takes.get(take, self._owners.of(request))
        if self._studio.takes.is_missing(found):
            raise RequestError(words.FILE_GONE, words.FILE_GONE_HINT)
        path = private_copy(self._studio.takes.path(found))
        return _file(path, f"{found.mode}-{found.id}.mp4"), dict(found.recipe)  # type: ignore[return-value]

    def favourite(self, take: str, favourite: bool, request: gr.Request) -> Json:
        """Set whether a take is a favourite; pruning keeps favourites. Return the take."""
        owner = self._owners.of(request)
        self._studio.takes.set_favourite(take, owner, favourite=favourite)
        return self._studio.takes.get(take, owner).as_dict()

    def tag(self, take: str, tags: list[str], request: gr.Request) -> Json:
        """Replace a take's tags. Return the take."""
        owner = self._owners.of(request)
        self._studio.takes.tag(take, owner, tags)
        return self._studio.takes.get(take, owner).as_dict()

    def delete(self, take: str, request: gr.Request) -> str:
        """Delete a take and its file. Return its id."""
        self._studio.takes.delete(take, self._owners.of(request))
        return take

    def workflow_form(self, file: gr.FileData) -> list[Json]:
        """Return a workflow's fields, each with ``key``, ``title``, ``kind``, ``value`` and its range."""
        return [field.as_dict() for field in self._studio.workflows.open(_uploaded(file)).fields]

    def workflow(
        self,
        file: gr.FileData,
        request: gr.Request,
        values: Json | None = None,
        trusted: bool = False,
        map_models: str | None = None,
    ) -> Json:
        """Submit a custom workflow.

        ``trusted`` allows nodes that may do anything, if only this machine can open the page; ``map_models`` names a
        model set whose files replace those of the workflow.
        """
        if trusted and self._owners.apart:
            raise RequestError(words.NOT_TRUSTED, words.NOT_TRUSTED_HINT)
        workflows = self._studio.workflows
        opened, definitions = workflows.open(_uploaded(file)), workflows.definitions()
        known = FieldIndex(opened.fields, others_of(opened.graph, definitions))
        given = {
            name: _uploaded(value) if known.find(name).kind in FILES else value
            for name, value in (values or {}).items()
        }
        name = Path(file["orig_name"] if file.get("orig_name") else "workflow").stem  # type: ignore[index, attr-defined]
        spec = workflows.request(name, opened, given, trusted=trusted, map_to=map_models)
        notes = spec.notes()
        (job,) = self._submit([spec], request)
        return self._job(self._studio.jobs.get(job, self._owners.of(request))) | {"notes": notes}

    def prune(self, request: gr.Request, keep: int | None = None, keep_bytes: int | None = None) -> list[str]:
        """Delete the oldest takes, but no favourites, and return their ids.

        ``keep`` is how many other takes remain; ``keep_bytes`` is the size of all that remain, favourites included.
        """
        return self._studio.takes.prune(self._owners.of(request), keep=keep, keep_bytes=keep_bytes)

    def recipe(self, video: gr.FileData) -> Json:
        """Return the recipe embedded in a video."""
        return self._studio.recipes.read(_uploaded(video)).model_dump(mode="json")


_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _parameter(name: str, field: FieldInfo, media: Media | None) -> inspect.Parameter:
    """Return an endpoint's parameter for a field. It is optional if the mode can fill it in."""
    annotation: Any = _annotation(field.annotation) if media is None else gr.FileData
    if media is None and field.is_required() and name == "prompt":
        return inspect.Parameter(name, _KIND, annotation=annotation)
    if media is not None and field.is_required():
        return inspect.Parameter(name, _KIND, annotation=annotation)
    if isinstance(field.default, str | int | float) and not field.is_required():
        return inspect.Parameter(name, _KIND, default=field.default, annotation=annotation)
    return inspect.Parameter(name, _KIND, default=None, annotation=annotation | None)


def _annotation(annotation: Any) -> Any:
    return list[Json] if get_origin(annotation) is tuple else annotation


def _media_of(mode: Mode, name: str) -> Media | None:
    return mode.media.get(name)


def _spec(mode: str, values: Mapping[str, Any], model_set: ModelSet, preset: str, registry: Registry) -> JobSpec:
    """Return the request that a client sent as JSON, with its files uploaded.

    Args:
        mode: The mode's id.
        values: The values, by name.
        model_set: The model set if the values name none.
        preset: The preset if the values name none.
        registry: The model sets that the values may name.
    """
    files, given = get_mode(mode).media, dict[str, Any]()
    for name, value in values.items():
        if value is not None:
            given[name] = _uploaded(value) if name in files else _loras(value) if name == "loras" else value
    chosen = registry.get_set(str(given.pop("model_set", model_set.id)))
    return JobSpec.from_request(mode, given, chosen, str(given.pop("preset", preset)))


def _within(limit: int) -> int:
    """Return the limit, at least 1 and at most `MOST`."""
    return min(max(1, limit), MOST)


def _loras(value: Any) -> Any:
    given = value if isinstance(value, list) else [value]
    return [{**lora, "file": _uploaded(lora.get("file"))} if isinstance(lora, dict) else lora for lora in given]


def _uploaded(value: Any) -> Path:
    """Return the path of an upload. No other path is accepted: clients must not read the server's own files.

    Raises:
        RequestError: The file is not an upload.
    """
    path = Path(str(value.get("path", "")) if isinstance(value, Mapping) else "")
    folder = Path(get_upload_folder()).resolve()
    if not path.resolve().is_relative_to(folder) or not path.is_file():
        raise RequestError("A file was not uploaded.", "Upload it: in Python with `gradio_client.handle_file`.")
    return path


def _file(path: str, name: str) -> Json:
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def _types(function: Callable[..., Any]) -> list[tuple[str, TypeAdapter[Any] | None]]:
    """Return the name and type of each value that a client sends; None for a file, which `_uploaded` checks."""
    named = inspect.signature(function, eval_str=True).parameters.values()
    kinds = {each.name: each.annotation for each in named if each.annotation is not gr.Request}
    return [
        (name, None if gr.FileData in (kind, *get_args(kind)) else TypeAdapter(kind)) for name, kind in kinds.items()
    ]


def _checked(types: Sequence[tuple[str, TypeAdapter[Any] | None]], given: Sequence[Any]) -> list[Any]:
    """Return the values converted to the endpoint's types; Gradio passes on whatever a client sends.

    Raises:
        RequestError: A value has the wrong type, or `check_values` refuses it.
    """
    check_values([value for value in given if not isinstance(value, gr.Request)])
    checked = []
    rest = iter(types)
    for value in given:
        if isinstance(value, gr.Request):
            checked.append(value)
            continue
        name, wanted = next(rest, ("", None))
        try:
            checked.append(value if wanted is None else wanted.validate_python(value))
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"]
            raise RequestError(f"{name} is wrong: {said}.", "`client.view_api()` shows what is accepted.") from None
    return checked
