"""The page's components and what happens when they are used."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from ltx_studio.errors import StudioError
from ltx_studio.jobs import Desk, Done, Failed, Job, JobSpec, Queued, Running, Spec
from ltx_studio.jobs.batch import sweep
from ltx_studio.media import by_name
from ltx_studio.models import ModelSet
from ltx_studio.modes import get_mode
from ltx_studio.ui import cards, words
from ltx_studio.ui.files import private_copy
from ltx_studio.ui.owners import Owners

MODE = "t2v"
MOST_TAKES = 16


class Page:
    """One page over one desk. Each browser tab (Gradio session) shows one job, which its Stop button stops."""

    def __init__(self, desk: Desk, owners: Owners, model_set: ModelSet) -> None:
        self._desk = desk
        self._owners = owners
        self._model_set = model_set
        self._mode = get_mode(MODE)
        self._shown: dict[str, str] = {}
        self.outputs: list[gr.components.Component] = []

    def build(self, blocks: gr.Blocks) -> None:
        """Add the components to `blocks`, which is open."""
        gr.HTML(cards.header(self._mode.label, self._model_set.notice), elem_id="studio-header")
        banner = gr.HTML(visible=False, elem_id="studio-banner")
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                prompt = gr.Textbox(
                    **_declared("prompt"), placeholder=words.PROMPT_PLACEHOLDER, lines=4, autofocus=True
                )
                seconds = gr.Slider(**_declared("seconds"), step=0.1)
                with gr.Row():
                    seed = gr.Number(**_declared("seed", limits=False) | {"value": 0}, precision=0)
                    new_seed = gr.Checkbox(label=words.RANDOM_SEED, value=True, elem_id="new-seed")
                takes = gr.Slider(1, MOST_TAKES, value=1, step=1, label=words.TAKES, elem_id="takes")
                with gr.Row():
                    start = gr.Button(words.GENERATE, variant="primary", elem_id="generate")
                    stop = gr.Button(words.STOP, interactive=False, elem_id="stop")
            with gr.Column(scale=3, min_width=320):
                card = gr.HTML(cards.message(words.IDLE), elem_id="run")
                video = gr.Video(
                    label=words.RESULT,
                    interactive=False,
                    autoplay=True,
                    loop=True,
                    buttons=["download"],
                    elem_id="clip",
                )
        self.outputs = outputs = [card, video, seed, start, stop]
        gr.on(
            [start.click, prompt.submit],
            self._generate,
            [prompt, seconds, seed, new_seed, takes],
            outputs,
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
        )
        stop.click(self._stop, None, [stop], queue=False, show_progress="hidden", api_visibility="private")
        blocks.load(self._open, None, [banner], show_progress="hidden", api_visibility="private")
        blocks.load(
            self._resume, None, outputs, concurrency_limit=None, show_progress="hidden", api_visibility="private"
        )

    def _open(self) -> dict[str, Any]:
        """A visitor came: say when the set-up is broken, and start ComfyUI behind the page when it is not."""
        problem = self._desk.runner.problem()
        if problem is not None:
            return gr.update(value=cards.error(problem), visible=True)
        self._desk.runner.warm()
        self._desk.work()
        return gr.update(visible=False)

    def _resume(self, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Show the visitor's job that runs or waits, if there is one: the tab may have been closed meanwhile."""
        first = next(iter(self._desk.queue.of(self._owners.of(request), limit=1)), None)
        if first is not None and isinstance(first.state, Queued | Running):
            yield from self._follow(first.id, request, tell_seed=False)  # what the visitor has written stays
        else:
            yield (gr.skip(),) * 5  # a generator that ends without a word empties its outputs, the buttons too

    def _generate(
        self, prompt: str, seconds: float, seed: float, new_seed: bool, takes: float, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Hand clips in, and tell the five components (card, video, seed, start, stop) what becomes of it."""
        values = {"prompt": prompt, "seconds": seconds, "seed": None if new_seed else seed}
        try:
            spec = JobSpec.from_request(MODE, values, self._model_set.id)
            jobs = self._desk.submit(self._owners.of(request), list(sweep(spec, int(takes))))
        except StudioError as problem:
            yield self.problem(problem)
            return
        yield from self.follow(jobs, request)

    def follow(self, jobs: Sequence[str], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Tell the outputs what becomes of jobs that were handed in, one after another."""
        self._desk.work()
        for job in jobs:
            yield from self._follow(job, request)

    def problem(self, problem: StudioError) -> tuple[Any, ...]:
        """Tell the outputs why nothing was handed in."""
        return _state(cards.error(problem))

    def _follow(self, job: str, request: gr.Request, *, tell_seed: bool = True) -> Iterator[tuple[Any, ...]]:
        """A job to its end; it goes on when nobody looks."""
        owner = self._owners.of(request)
        self._shown[str(request.session_hash)] = job
        spec = self._desk.spec(self._desk.queue.get(job, owner))
        stages = spec.build(by_name).stages
        began = False
        for each in self._desk.follow(job, owner):
            if not isinstance(each.state, Queued | Running):
                yield self._outcome(each, spec)
                return
            card = cards.run(each, stages, spec.summary(), time.time())
            seed = spec.seed if tell_seed else _KEEP
            yield (card, *[gr.skip()] * 4) if began else _state(card, video=None, seed=seed, running=True)
            began = True

    def _stop(self, request: gr.Request) -> dict[str, Any]:
        """Stop the job of this tab; the job itself tells the page when it has stopped."""
        job = self._shown.get(str(request.session_hash))
        if job is None:
            return gr.update(value=words.STOP, interactive=False)
        self._desk.queue.cancel(job, self._owners.of(request))
        return gr.update(value=words.STOPPING, interactive=False)

    def _outcome(self, job: Job, spec: Spec) -> tuple[Any, ...]:
        match job.state:
            case Done(take=take):
                record = self._desk.history.get(take, job.owner)
                shown = cards.message(words.DONE.format(seconds=record.measured["seconds"]), spec.summary())
                return _state(shown, video=private_copy(self._desk.history.path(record)))
            case Failed(error=error):
                return _state(cards.error(error))
        return _state(cards.message(words.STOPPED))


def _declared(name: str, *, limits: bool = True) -> dict[str, Any]:
    """What the declaration says of a parameter, as the arguments of its component.

    Without `limits` a wrong value reaches the declaration, which answers in words; Gradio would only raise.
    """
    schema = get_mode(MODE).params.model_json_schema()["properties"][name]
    shown = {"label": schema["title"], "elem_id": name, "value": schema.get("default")}
    return shown | {key: schema[key] for key in ("minimum", "maximum") if limits and key in schema}


_KEEP: Any = object()


def _state(card: str, *, video: Any = _KEEP, seed: Any = _KEEP, running: bool = False) -> tuple[Any, ...]:
    return (
        card,
        gr.skip() if video is _KEEP else video,
        gr.skip() if seed is _KEEP else seed,
        gr.update(interactive=not running),
        gr.update(value=words.STOP, interactive=True) if running else gr.update(value=words.STOP, interactive=False),
    )
