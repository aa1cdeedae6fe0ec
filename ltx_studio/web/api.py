"""The page's server as an API: one typed endpoint for each mode, and the queue and the history, for `gradio_client`."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from gradio.events import api
from gradio.utils import get_upload_folder
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ltx_studio.errors import ExecutionError, RequestError, StudioError
from ltx_studio.families import ModelSet, all_presets
from ltx_studio.families.default_preset import default_preset
from ltx_studio.graph.form import FILES, FieldIndex, others_of
from ltx_studio.models import Registry, Store, get_registry
from ltx_studio.modes import MODES, Media, Mode, get_mode
from ltx_studio.queue import Failed, Job, JobSpec, Spec
from ltx_studio.queue.batch import MOST
from ltx_studio.studio import Studio
from ltx_studio.takes import recipes
from ltx_studio.web import words
from ltx_studio.web.discretion import Discretion
from ltx_studio.web.files import private_copy
from ltx_studio.web.opened import OpenedWorkflows
from ltx_studio.web.owners import Owners
from ltx_studio.web.values import check_values

log = logging.getLogger(__name__)

Json = dict[str, Any]


class Api:
    """Endpoints over one studio. What they take and give is JSON; files are `gradio.FileData`."""

    def __init__(self, studio: Studio, owners: Owners, model_set: ModelSet) -> None:
        self._studio, self._owners, self._model_set = studio, owners, model_set
        self._discretion = Discretion(studio.settings, owners)
        self._preset = default_preset(studio.settings, model_set.family).id
        self._opened = OpenedWorkflows(studio.settings)

    def build(self) -> None:
        """Add the endpoints to the Blocks that is open."""
        for mode in MODES.values():
            api(self._telling(self._endpoint(mode)), api_name=mode.id, api_description=f"{mode.label}: hand in a job.")
        for function in (
            self.batch, self.jobs, self.job, self.cancel, self.retry, self.move, self.pause, self.takes, self.take,
            self.favourite, self.tag, self.delete, self.prune, self.recipe, self.workflow_form, self.workflow,
        ):  # fmt: skip
            api(self._telling(function), api_name=function.__name__, queue=False)
        api(self._telling(self.follow), api_name="follow", concurrency_limit=None)

    def _telling(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its errors in Gradio's form, which reaches clients as words."""
        types = _types(function)

        @wraps(function)
        def call(*given: Any, **named: Any) -> Any:
            try:
                return function(*_checked(types, given), **named)
            except StudioError as error:
                raise self._gradio_error(error) from None
            except Exception as error:
                log.exception("%s could not be answered", function.__name__)
                raise self._gradio_error(ExecutionError.unexpected(error, details="")) from None

        @wraps(function)
        def stream(*given: Any, **named: Any) -> Any:
            try:
                yield from function(*_checked(types, given), **named)
            except StudioError as error:
                raise self._gradio_error(error) from None

        return stream if inspect.isgeneratorfunction(function) else call

    def _gradio_error(self, error: StudioError) -> gr.Error:
        told = self._discretion.told(error)
        return gr.Error(f"{told.message} {told.hint}", title=told.code, print_exception=False)

    def _job(self, job: Job) -> Json:
        """A job as clients get it."""
        told: Json = job.as_dict()
        if isinstance(job.state, Failed):
            told["error"] = self._discretion.told(job.state.error).as_dict()
        return told

    def _endpoint(self, mode: Mode) -> Callable[..., Json]:
        """A function with the mode's parameters, as its declaration has them."""
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
            return self._job(self._studio.queue.get(job, self._owners.of(request))) | {"notes": notes}

        endpoint.__name__ = mode.id
        endpoint.__signature__ = signature  # type: ignore[attr-defined]
        endpoint.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
        endpoint.__annotations__["return"] = Json
        return endpoint

    def batch(self, requests: list[Json], request: gr.Request) -> list[str]:
        """Hand in many requests, all or none: each with ``mode`` and what its endpoint takes. Gives the jobs' ids."""
        if not 0 < len(requests) <= MOST:
            raise RequestError(f"There are {len(requests)} requests.", f"Give from 1 to {MOST}.")
        specs, registry = [], get_registry(self._studio.settings)
        for number, each in enumerate(requests, 1):
            values = dict(each)
            try:
                specs.append(_spec(str(values.pop("mode", "")), values, self._model_set, self._preset, registry))
            except RequestError as error:
                raise RequestError(f"Request {number}: {error.message}", error.hint, advice=error.advice) from None
        return self._submit(specs, request)

    def _submit(self, specs: Sequence[Spec], request: gr.Request) -> list[str]:
        jobs = self._studio.submit(self._owners.of(request), specs)
        self._studio.work()
        return jobs

    def jobs(self, request: gr.Request, limit: int = 50) -> list[Json]:
        """The running job, those that wait in their order, then the newest that have ended."""
        return [self._job(job) for job in self._studio.queue.of(self._owners.of(request), limit=_within(limit))]

    def job(self, job: str, request: gr.Request) -> Json:
        """One job; when it failed with why, when it is done with its take."""
        return self._job(self._studio.queue.get(job, self._owners.of(request)))

    def follow(self, job: str, request: gr.Request) -> Iterator[Json]:
        """A job again and again, whenever it has changed, until it has ended."""
        told: Json = {}
        for each in self._studio.follow(job, self._owners.of(request)):
            if self._job(each) != told:
                told = self._job(each)
                yield told

    def cancel(self, job: str, request: gr.Request) -> Json:
        """Take a job that waits out of the queue, or stop one that runs."""
        return self._job(self._studio.queue.cancel(job, self._owners.of(request)))

    def retry(self, job: str, request: gr.Request) -> Json:
        """Put a job that failed or was stopped at the end of the queue again."""
        return self._job(self._studio.queue.retry(job, self._owners.of(request)))

    def move(self, job: str, place: int, request: gr.Request) -> list[Json]:
        """Put a job that waits at a place of the queue, 1 being the next. Gives all jobs."""
        self._studio.queue.move(job, self._owners.of(request), place - 1)
        return self.jobs(request)

    def pause(self, paused: bool, request: gr.Request) -> bool:
        """Let no job begin until it is told otherwise; what runs goes on."""
        self._studio.queue.pause(self._owners.of(request), paused)
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
        """The newest takes that fit; ``before`` of the answer asks for the next page."""
        page = self._studio.history.page(
            self._owners.of(request),
            search=search,
            mode=mode,
            favourites=favourites,
            before=before,
            limit=_within(limit),
        )
        shown = [take.as_dict() | {"missing": self._studio.history.is_missing(take)} for take in page.takes]
        return {"takes": shown, "before": page.before}

    def take(self, take: str, request: gr.Request) -> tuple[gr.FileData, Json]:
        """The video of a take, and its recipe."""
        found = self._studio.history.get(take, self._owners.of(request))
        if self._studio.history.is_missing(found):
            raise RequestError(words.FILE_GONE, words.FILE_GONE_HINT)
        path = private_copy(self._studio.history.path(found))
        return _file(path, f"{found.mode}-{found.id}.mp4"), dict(found.recipe)  # type: ignore[return-value]

    def favourite(self, take: str, favourite: bool, request: gr.Request) -> Json:
        """Say whether a take is a favourite, which no pruning removes."""
        owner = self._owners.of(request)
        self._studio.history.favour(take, owner, favourite)
        return self._studio.history.get(take, owner).as_dict()

    def tag(self, take: str, tags: list[str], request: gr.Request) -> Json:
        """Give a take these tags and no others."""
        owner = self._owners.of(request)
        self._studio.history.tag(take, owner, tags)
        return self._studio.history.get(take, owner).as_dict()

    def delete(self, take: str, request: gr.Request) -> str:
        """Remove a take and its file. Gives its id."""
        self._studio.history.delete(take, self._owners.of(request))
        return take

    def workflow_form(self, file: gr.FileData) -> list[Json]:
        """What can be set of a workflow: each with ``key``, ``title``, ``kind``, ``value`` and its range."""
        return [field.as_dict() for field in self._opened.get(_uploaded(file)).fields]

    def workflow(
        self,
        file: gr.FileData,
        request: gr.Request,
        values: Json | None = None,
        trusted: bool = False,
        map_models: str | None = None,
    ) -> Json:
        """Submit a workflow of your own. ``trusted`` allows nodes that may do anything, if the page is only for this
        machine; ``map_models`` names a model set whose files replace those of the workflow."""
        if trusted and self._owners.apart:
            raise RequestError(words.NOT_TRUSTED, words.NOT_TRUSTED_HINT)
        opened, definitions = self._opened.get(_uploaded(file)), self._opened.definitions()
        known = FieldIndex(opened.fields, others_of(opened.graph, definitions))
        given = {
            name: _uploaded(value) if known.find(name).kind in FILES else value
            for name, value in (values or {}).items()
        }
        name = Path(file["orig_name"] if file.get("orig_name") else "workflow").stem  # type: ignore[index, attr-defined]
        model_set = get_registry(self._studio.settings).get_set(map_models) if map_models else None
        spec = self._opened.request(name, opened, given, trusted=trusted, model_set=model_set)
        Store(self._studio.settings).require(spec.graph, spec.fetch_advice, spec.pocket)
        notes = spec.notes()
        (job,) = self._submit([spec], request)
        return self._job(self._studio.queue.get(job, self._owners.of(request))) | {"notes": notes}

    def prune(self, request: gr.Request, keep: int | None = None, keep_bytes: int | None = None) -> list[str]:
        """Remove the oldest takes but no favourites; ``keep`` are left beside these, ``keep_bytes`` are of all."""
        return self._studio.history.prune(self._owners.of(request), keep=keep, keep_bytes=keep_bytes)

    def recipe(self, video: gr.FileData) -> Json:
        """The recipe that a video carries."""
        return recipes.read(_uploaded(video)).model_dump(mode="json")


_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _parameter(name: str, field: FieldInfo, media: Media | None) -> inspect.Parameter:
    """Of an endpoint, from a field. What a mode fills in itself may be left out."""
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
    """Return a request as JSON has it, with its files uploaded.

    Args:
        mode: Its mode.
        values: Its values.
        model_set: The model set if it names none.
        preset: The preset if it names none.
        registry: Has the model sets that it may name.
    """
    files, given = get_mode(mode).media, dict[str, Any]()
    for name, value in values.items():
        if value is not None:
            given[name] = _uploaded(value) if name in files else _loras(value) if name == "loras" else value
    chosen = registry.get_set(str(given.pop("model_set", model_set.id)))
    return JobSpec.from_request(mode, given, chosen, str(given.pop("preset", preset)))


def _within(limit: int) -> int:
    """How many are told at once."""
    return min(max(1, limit), MOST)


def _loras(value: Any) -> Any:
    given = value if isinstance(value, list) else [value]
    return [{**lora, "file": _uploaded(lora.get("file"))} if isinstance(lora, dict) else lora for lora in given]


def _uploaded(value: Any) -> Path:
    """Where an upload lies. No other path is taken from a request: the server's own files are not for its clients.

    Raises:
        RequestError: It is no upload.
    """
    path = Path(str(value.get("path", "")) if isinstance(value, Mapping) else "")
    folder = Path(get_upload_folder()).resolve()
    if not path.resolve().is_relative_to(folder) or not path.is_file():
        raise RequestError("A file is no upload.", "Upload it: in Python with `gradio_client.handle_file`.")
    return path


def _file(path: str, name: str) -> Json:
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def _types(function: Callable[..., Any]) -> list[tuple[str, TypeAdapter[Any] | None]]:
    """Name and type of each of a client's values, in their order; none of a file, which `_uploaded` looks at."""
    named = inspect.signature(function, eval_str=True).parameters.values()
    kinds = {each.name: each.annotation for each in named if each.annotation is not gr.Request}
    return [
        (name, None if gr.FileData in (kind, *get_args(kind)) else TypeAdapter(kind)) for name, kind in kinds.items()
    ]


def _checked(types: Sequence[tuple[str, TypeAdapter[Any] | None]], given: Sequence[Any]) -> list[Any]:
    """Gradio hands on whatever a client sends.

    Raises:
        RequestError: A value is of another type than the endpoint takes, or nothing could use it.
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
            raise RequestError(f"{name} is wrong: {said}.", "`client.view_api()` names what it takes.") from None
    return checked
