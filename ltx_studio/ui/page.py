"""The page's components and what happens when they are used."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from ltx_studio.engine import CancelToken
from ltx_studio.errors import StudioError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Preview
from ltx_studio.jobs import JobSpec, LocalRunner
from ltx_studio.media import by_name
from ltx_studio.models import ModelSet
from ltx_studio.modes import get_mode
from ltx_studio.ui import cards, words

MODE = "t2v"


class Page:
    """One page over one runner. Each browser tab (Gradio session) has at most one run that its Stop button stops."""

    def __init__(self, runner: LocalRunner, model_set: ModelSet) -> None:
        self._runner = runner
        self._model_set = model_set
        self._mode = get_mode(MODE)
        self._running: dict[str, CancelToken] = {}

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
        outputs = [card, video, seed, start, stop]
        gr.on(
            [start.click, prompt.submit],
            self._generate,
            [prompt, seconds, seed, new_seed],
            outputs,
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
        )
        stop.click(self._stop, None, [stop], queue=False, show_progress="hidden", api_visibility="private")
        blocks.load(self._open, None, [banner], show_progress="hidden", api_visibility="private")

    def _open(self) -> dict[str, Any]:
        """A visitor came: say when the set-up is broken, and start ComfyUI behind the page when it is not."""
        problem = self._runner.problem()
        if problem is not None:
            return gr.update(value=cards.error(problem), visible=True)
        self._runner.warm()
        return gr.update(visible=False)

    def _generate(
        self, prompt: str, seconds: float, seed: float, new_seed: bool, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Make a clip, telling the five components (card, video, seed, start, stop) as it goes."""
        values = {"prompt": prompt, "seconds": seconds, "seed": None if new_seed else seed}
        try:
            spec = JobSpec.from_request(MODE, values, self._model_set.id)
        except StudioError as problem:
            yield _state(cards.error(problem))
            return
        session = str(request.session_hash)
        cancel = self._running[session] = CancelToken()
        try:
            yield from self._follow(spec, cancel)
        finally:
            cancel.cancel()
            if self._running.get(session) is cancel:
                del self._running[session]

    def _follow(self, spec: JobSpec, cancel: CancelToken) -> Iterator[tuple[Any, ...]]:
        began = time.monotonic()
        progress = cards.Progress(spec.build(by_name).stages, spec.summary(), words.GENERATE)
        yield _state(progress.html(), video=None, seed=spec.params.seed, running=True)
        for event in self._runner.run(spec, cancel):
            if isinstance(event, Finished | Failed | Cancelled):
                yield _outcome(event, spec)
            elif not isinstance(event, Preview):
                progress = progress.advance(event, time.monotonic() - began)
                yield progress.html(), *[gr.skip()] * 4

    def _stop(self, request: gr.Request) -> dict[str, Any]:
        """Stop the run of this tab; the run itself tells the page when it has stopped."""
        cancel = self._running.get(str(request.session_hash))
        if cancel is not None:
            cancel.cancel()
        return gr.update(value=words.STOPPING if cancel else words.STOP, interactive=False)


def _declared(name: str, *, limits: bool = True) -> dict[str, Any]:
    """What the declaration says of a parameter, as the arguments of its component.

    Without `limits` a wrong value reaches the declaration, which answers in words; Gradio would only raise.
    """
    schema = get_mode(MODE).params.model_json_schema()["properties"][name]
    shown = {"label": schema["title"], "elem_id": name, "value": schema.get("default")}
    return shown | {key: schema[key] for key in ("minimum", "maximum") if limits and key in schema}


def _outcome(event: Event, spec: JobSpec) -> tuple[Any, ...]:
    match event:
        case Finished(outputs, seconds):
            path = _private_copy(outputs[0].path) if outputs else None
            return _state(cards.message(words.DONE.format(seconds=seconds), spec.summary()), video=path)
        case Failed(error):
            return _state(cards.error(error))
        case _:
            return _state(cards.message(words.STOPPED))


def _private_copy(path: Path) -> str:
    """A copy in Gradio's cache, in a folder named by its contents: no visitor can guess it, as one could a date."""
    return str(save_file_to_cache(path, get_upload_folder()))


_KEEP: Any = object()


def _state(card: str, *, video: Any = _KEEP, seed: Any = _KEEP, running: bool = False) -> tuple[Any, ...]:
    return (
        card,
        gr.skip() if video is _KEEP else video,
        gr.skip() if seed is _KEEP else seed,
        gr.update(interactive=not running),
        gr.update(value=words.STOP, interactive=True) if running else gr.update(value=words.STOP, interactive=False),
    )
