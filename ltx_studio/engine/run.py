"""One run: validate the graph, execute it in ComfyUI, report events, unwind, and leave the files in staging."""

import asyncio
import copy
import gc
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ltx_studio.cancel import CancelToken
from ltx_studio.engine import cache, faults, rescue, run_folders
from ltx_studio.engine.boot import Comfy, use_folders
from ltx_studio.engine.preview import FIRST_STEP, FormingClip
from ltx_studio.engine.rescue import RescuedLatents
from ltx_studio.engine.run_folders import RunFolder
from ltx_studio.errors import ExecutionError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Finished, Outcome, Output, PhaseStarted, Preview, Started, Step
from ltx_studio.graph import Workflow
from ltx_studio.settings import Settings

log = logging.getLogger(__name__)

INTERRUPT_SECONDS = 0.05
"""How often a stop is repeated. ComfyUI clears its flag when a run starts and when it raises, so once is not enough."""


@dataclass(slots=True)
class Warm:
    """What an engine keeps between runs: ComfyUI's executor with its cache, the model files that it has read, and the
    latents of failed runs."""

    executor: Any
    files: cache.Fingerprint = field(default_factory=dict)
    rescued: RescuedLatents = field(default_factory=RescuedLatents)

    def drop_replaced_models(self, files: cache.Fingerprint) -> None:
        """Forget everything if a model file has changed; ComfyUI compares only its name."""
        if cache.has_changed(self.files, files):
            self.executor.reset()
            self.rescued.clear()
        self.files |= files


class Run:
    """A run that holds the lane. `work` is called once, in its own thread; `events` may be read from any thread."""

    def __init__(
        self,
        comfy: Comfy,
        warm: Warm,
        settings: Settings,
        workflow: Workflow,
        cancel: CancelToken,
        run_id: str,
        *,
        fresh: bool = False,
    ) -> None:
        self.id = run_id
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._comfy = comfy
        self._warm = warm
        self._fresh = fresh
        self._settings = settings
        self._workflow = workflow
        self._graph: dict[str, Any] = copy.deepcopy({key: dict(node) for key, node in workflow.graph.items()})
        self._titles = {
            node_id: node.get("_meta", {}).get("title") or str(node.get("class_type", node_id))
            for node_id, node in self._graph.items()
        }
        self._phase_of = {title: index for index, phase in enumerate(workflow.phases) for title in phase.nodes}
        self._stage = -1
        self._cancel = cancel
        self._abandoned = threading.Event()
        self._unwound = threading.Event()
        self._error: dict[str, Any] | None = None
        self._previewed: tuple[str | None, float] | None = None

    def abandon(self) -> None:
        """Stop as if the run were cancelled, because nobody reads its events any more. No effect after the end."""
        self._abandoned.set()

    def work(self) -> None:
        """Execute the run and release the lane; put the outcome last, when the next run may start.

        The folder of a run that finished with files stays: it belongs to the reader of the outcome.
        """
        folder: RunFolder | None = None
        outcome: Outcome = Cancelled()
        try:
            folder = run_folders.create(self._settings.staging_dir, self.id)
            outcome = self._execute(folder)
        except StudioError as error:
            outcome = Failed(error)
        except OSError as error:
            log.exception("run %s could not store its files", self.id)
            outcome = Failed(faults.from_storage(error))
        except BaseException as error:
            log.exception("run %s failed outside of a node", self.id)
            unexpected = ExecutionError.unexpected(error, details=traceback.format_exc())
            outcome = Cancelled() if self._stopping() else Failed(unexpected)
        finally:
            if folder is not None and not (isinstance(outcome, Finished) and outcome.outputs):
                folder.remove()
            self._comfy.lane.release()
        if isinstance(outcome, Finished):
            for output in outcome.outputs:
                self.events.put(output)
        log.info("run %s of %s: %s", self.id, self._workflow.name, outcome)
        self.events.put(outcome)

    def _stopping(self) -> bool:
        return self._cancel.cancelled or self._abandoned.is_set()

    def _execute(self, folder: RunFolder) -> Outcome:
        comfy, executor = self._comfy, self._warm.executor
        use_folders(comfy, self._settings)
        outputs = self._validate()
        passing = cache.passing_nodes(self._graph, comfy.nodes.NODE_CLASS_MAPPINGS)
        self._warm.drop_replaced_models(cache.model_files(self._graph, comfy.folder_paths))
        comfy.folder_paths.set_output_directory(str(folder.saving))
        comfy.utils.set_progress_bar_global_hook(self._on_progress)
        comfy.host.listener = self._on_message
        comfy.previews.use(self._preview_file())
        if not self._fresh:
            self._warm.rescued.put_back(executor)
        interrupter = threading.Thread(target=self._interrupt, name=f"stop-{self.id}", daemon=True)
        began = time.monotonic()
        try:
            interrupter.start()
            executor.execute(self._graph, self.id, {"client_id": "ltx-studio"}, outputs)
        except comfy.model_management.InterruptProcessingException:
            executor.success = False
        finally:
            self._unwound.set()
            if interrupter.ident is not None:
                interrupter.join()
            comfy.model_management.interrupt_current_processing(False)
            comfy.host.listener = None
            comfy.previews.use(None)
            comfy.utils.set_progress_bar_global_hook(None)
            used = set(executor.caches.outputs.cache_key_set.get_used_keys())
            latents = rescue.latents_of(executor, self._graph, comfy.nodes.NODE_CLASS_MAPPINGS, passing)
            cache.forget(executor, passing)
        if self._stopping():
            self._warm.rescued.drop(used)
            comfy.model_management.soft_empty_cache()
            return Cancelled()
        self._warm.rescued.keep(latents)
        if self._error is not None or not executor.success:
            gc.collect()  # the traceback held what the node had allocated
            comfy.model_management.soft_empty_cache()
            return Failed(faults.from_execution(self._error or {}, self._titles, self._settings))
        made = self._finish(folder, executor.history_result)
        self._warm.rescued.drop(used)
        return Cancelled() if self._stopping() else Finished(made, time.monotonic() - began)

    def _preview_file(self) -> Path | None:
        name = self._workflow.preview
        path = self._comfy.folder_paths.get_full_path("vae_approx", name) if name else None
        return None if path is None else Path(path)

    def _validate(self) -> list[str]:
        """Return the ids of the graph's output nodes.

        Raises:
            WorkflowError: ComfyUI refuses the graph.
            ModelMissingError: The graph names a missing model file.
        """
        execution = self._comfy.execution
        valid, error, outputs, node_errors = asyncio.run(execution.validate_prompt(self.id, self._graph, None))
        if not valid or node_errors:
            classes = self._comfy.nodes.NODE_CLASS_MAPPINGS
            raise faults.from_validation(error, node_errors, self._titles, classes, self._settings)
        return list(outputs)

    def _finish(self, folder: RunFolder, history: dict[str, Any]) -> tuple[Output, ...]:
        """Mark the run's folder as finished, and return the files that the run reports as saved; empty if none."""
        savers: dict[Path, str] = {}
        for node_id, file in _saved_files(history, folder.saving):
            savers.setdefault(file, self._titles.get(node_id, node_id))  # two equal nodes save once
        if not savers:
            return ()
        whole = folder.finish(list(savers))
        return tuple(Output(path, node) for path, node in zip(whole, savers.values(), strict=True))

    def _interrupt(self) -> None:
        """Repeat the stop until the run has unwound."""
        while not self._unwound.wait(INTERRUPT_SECONDS):
            if self._stopping():
                self._comfy.model_management.interrupt_current_processing()

    def _on_message(self, event: str, data: dict[str, Any]) -> None:
        """Handle a message from the executor to its server, in the thread of the run."""
        if event == "execution_cached":
            self.events.put(Started(self.id, len(self._graph), len(data["nodes"])))
        elif event == "executing":
            if self._stopping():
                raise self._comfy.model_management.InterruptProcessingException
            self._enter_stage(str(data["display_node"]))
        elif event == "execution_error":
            self._error = data

    def _phase_at(self, node_id: str) -> int:
        """Return the index of the phase that a node belongs to; -1 if none."""
        return self._phase_of.get(self._titles.get(node_id, ""), self._phase_of.get(node_id, -1))

    def _enter_stage(self, node_id: str) -> None:
        index = self._phase_at(node_id)
        if index > self._stage:
            self._stage = index
            phase = self._workflow.phases[index]
            self.events.put(PhaseStarted(phase.id, phase.label, index, len(self._workflow.phases)))

    def _on_progress(
        self, value: float, total: float, preview: object, prompt_id: str | None = None, node_id: str | None = None
    ) -> None:
        """Handle an update of ComfyUI's progress bars: sampling steps, decoding tiles."""
        if self._stopping():
            raise self._comfy.model_management.InterruptProcessingException
        context = self._comfy.context.get_executing_context()
        node_id = node_id or (context.node_id if context is not None else None)
        index = self._phase_at(str(node_id))
        if index < 0 or total <= 0:
            return
        phase = self._workflow.phases[index].id
        if isinstance(preview, FormingClip) and value >= FIRST_STEP and (node_id, value) != self._previewed:
            self._previewed = node_id, value
            self.events.put(Preview(phase, int(value), preview.jpegs(self._workflow.latent_frames)))
        self.events.put(Step(phase, int(value), int(total)))


def _saved_files(history: dict[str, Any], folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (node id, file) for every file that a run reports as saved below `folder`."""
    for node_id, shown in history["outputs"].items():
        for entry in (entry for entries in shown.values() if isinstance(entries, list) for entry in entries):
            if isinstance(entry, dict) and entry.get("type") == "output":
                yield node_id, folder / entry.get("subfolder", "") / entry["filename"]
