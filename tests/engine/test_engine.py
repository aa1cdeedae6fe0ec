"""Runs on the real ComfyUI with the pocket model."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import pytest

from ltx_studio.engine import CancelToken, Engine, run_folders
from ltx_studio.engine.boot import boot
from ltx_studio.errors import BusyError, ExecutionError, ModelMissingError, OutOfMemoryError, SetupError, WorkflowError
from ltx_studio.events import Cancelled, Failed, Finished, Output, PhaseStarted, Preview, Started, Step, Waiting
from ltx_studio.graph import Workflow
from ltx_studio.pocket import files
from ltx_studio.pocket.install import install
from ltx_studio.settings import Settings
from tests.support import (
    ROOT,
    brief_workflow,
    cancel_when,
    collect,
    environment,
    finish,
    frames_digest,
    outcome_of,
    outputs_of,
    small_workflow,
    staged_in,
)


@pytest.fixture(scope="module")
def reference(engine: Engine) -> str:
    """What the small request looks like from an engine that has run nothing else."""
    engine.unload()
    return frames_digest(finish(engine, small_workflow()))


@pytest.fixture(scope="module")
def brief_reference(engine: Engine) -> str:
    """The same of the brief request."""
    engine.unload()
    return frames_digest(finish(engine, brief_workflow()))


@dataclass(frozen=True)
class FreshProcess:
    """What `tests.engine.fresh` said in a process that had not booted ComfyUI, and the frames that it made."""

    said: dict[str, Any]
    frames: str
    stderr: str
    lines: int


@pytest.fixture(scope="module")
def fresh_process(engine: Engine, settings: Settings) -> FreshProcess:
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.fresh"],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    said = json.loads(lines[-1])
    frames = frames_digest(Path(said["path"]))
    run_folders.discard(Path(said["path"]))
    return FreshProcess(said, frames, done.stderr, len(lines))


def edited(change: Any, **values: Any) -> Workflow:
    """The brief workflow with `change` applied to its nodes, which it is given by title."""
    workflow = brief_workflow(**values)
    nodes = {node["_meta"]["title"]: node for node in workflow.graph.values()}
    change(nodes)
    return workflow


class TestTheStream:
    def test_tells_the_stages_in_order_and_every_step(self, engine: Engine) -> None:
        engine.unload()
        events = collect(engine.run(small_workflow()))

        phases = [event.id for event in events if isinstance(event, PhaseStarted)]
        assert phases == ["load", "prompt", "stage1", "upscale", "stage2", "decode", "save"]
        steps = [(event.step, event.total) for event in events if isinstance(event, Step) and event.phase == "stage1"]
        assert steps == [(step, 8) for step in range(1, 9)]
        steps = [(event.step, event.total) for event in events if isinstance(event, Step) and event.phase == "stage2"]
        assert steps == [(step, 3) for step in range(1, 4)]

    def test_previews_show_every_latent_frame(self, engine: Engine) -> None:
        previews = [event for event in engine.run(small_workflow()) if isinstance(event, Preview)]

        assert len(previews) == 7 + 2  # what comes of a sampling's first step is not shown
        assert {len(preview.frames) for preview in previews} == {(17 - 1) // 8 + 1}
        assert all(frame.startswith(b"\xff\xd8") for preview in previews for frame in preview.frames)

    def test_the_output_comes_from_the_run_itself(self, engine: Engine, settings: Settings) -> None:
        before = staged_in(settings), outputs_of(settings)
        events = collect(engine.run(brief_workflow()))

        (output,) = [event for event in events if isinstance(event, Output)]
        assert isinstance(events[-1], Finished)
        assert events[-1].outputs == (output,)
        assert output.node == "Save t2v"
        assert staged_in(settings) - before[0] == {output.path.parent}
        assert list(output.path.parent.iterdir()) == [output.path]
        assert outputs_of(settings) == before[1], "the engine writes nothing there"

    def test_the_file_is_as_asked(self, engine: Engine) -> None:
        path = finish(engine, brief_workflow(seconds=2, fps=25, width=192, height=128))

        with av.open(path) as container:
            (video,), (audio,) = container.streams.video, container.streams.audio
            assert (video.codec_context.name, video.width, video.height) == ("h264", 192, 128)
            assert video.average_rate == 25
            assert audio.codec_context.name == "aac"
            frames = sum(1 for _ in container.decode(video))
        assert abs(frames - 50) <= 4


class TestSeeds:
    def test_a_repeated_request_is_a_new_file_with_identical_frames(self, engine: Engine, brief_reference: str) -> None:
        first, second = finish(engine, brief_workflow()), finish(engine, brief_workflow())

        assert first != second
        assert first.exists()
        assert frames_digest(first) == frames_digest(second) == brief_reference

    def test_identical_after_the_cache_was_emptied(self, engine: Engine, brief_reference: str) -> None:
        engine.unload()

        assert frames_digest(finish(engine, brief_workflow())) == brief_reference

    def test_identical_in_another_process(self, fresh_process: "FreshProcess", reference: str) -> None:
        assert fresh_process.frames == reference

    def test_another_seed_gives_other_frames(self, engine: Engine, brief_reference: str) -> None:
        assert frames_digest(finish(engine, brief_workflow(seed=8))) != brief_reference

    def test_another_prompt_gives_other_frames(self, engine: Engine, brief_reference: str) -> None:
        assert frames_digest(finish(engine, brief_workflow(prompt="night, a wolf howls"))) != brief_reference


def parts_of(latent: Any) -> list[Any]:
    """Video and audio of a joint latent, or the one tensor."""
    return list(latent.tensors) if latent.is_nested else [latent]


class Counter:
    """Counts the calls of a real function, which it calls."""

    def __init__(self, real: Any) -> None:
        self.real, self.calls = real, 0

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.calls += 1
        return self.real(*args, **options)


class TestWarmth:
    def test_a_new_seed_loads_nothing_and_encodes_nothing(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import comfy.sd

        comfy_utils = boot(settings).utils
        loads = Counter(comfy_utils.load_torch_file)
        encodes = Counter(comfy.sd.CLIP.encode_from_tokens_scheduled)
        monkeypatch.setattr(comfy_utils, "load_torch_file", loads)
        monkeypatch.setattr(comfy.sd.CLIP, "encode_from_tokens_scheduled", lambda *a, **k: encodes(*a, **k))  # noqa: PLW0108  (a method must be a function)
        engine.unload()

        finish(engine, brief_workflow(seed=1))
        cold = (loads.calls, encodes.calls)
        finish(engine, brief_workflow(seed=2))

        assert cold[0] >= 4, "the cold run should have loaded checkpoint, text encoder, LoRA and upscaler"
        assert cold[1] == 2
        assert (loads.calls, encodes.calls) == cold

    def test_a_new_prompt_encodes_only_itself(self, engine: Engine) -> None:
        finish(engine, brief_workflow())
        ran = [event for event in engine.run(brief_workflow(prompt="another")) if isinstance(event, PhaseStarted)]

        assert [event.id for event in ran][:2] == ["prompt", "stage1"]

    def test_after_a_run_neither_latents_nor_frames_stay_cached(self, engine: Engine) -> None:
        finish(engine, brief_workflow())

        assert engine._warm is not None
        entries = engine._warm.executor.caches.outputs.cache.values()
        kept = [value for entry in entries for output in entry.outputs for value in output]
        latents = [value["samples"] for value in kept if isinstance(value, dict) and "samples" in value]
        assert {type(value).__name__ for value in kept} >= {"ModelPatcher", "CLIP", "VAE"}
        assert all(value.numel() < 100 for value in kept if hasattr(value, "numel")), "decoded frames stay in memory"
        assert latents
        assert not any(part.any() for latent in latents for part in parts_of(latent)), "a sampled latent is kept"

    def test_the_cache_counts_as_started(self, engine: Engine) -> None:
        finish(engine, brief_workflow())
        (started,) = [event for event in engine.run(brief_workflow(seed=9)) if isinstance(event, Started)]

        assert started.nodes == len(brief_workflow().graph)
        assert 15 <= started.cached < started.nodes

    def test_a_fresh_run_uses_nothing_that_is_warm(self, engine: Engine) -> None:
        collect(engine.run(brief_workflow()))

        (started,) = [event for event in engine.run(brief_workflow(), fresh=True) if isinstance(event, Started)]

        assert started.cached == 0


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.005)


def at_phase(phase: str) -> Any:
    return lambda event: isinstance(event, PhaseStarted) and event.id == phase


def at_step(phase: str, step: int) -> Any:
    return lambda event: isinstance(event, Step) and (event.phase, event.step) == (phase, step)


class TestCancel:
    @pytest.fixture(autouse=True)
    def nothing_is_left(self, engine: Engine, settings: Settings, brief_reference: str) -> Iterator[None]:
        """Whatever was cancelled: no output, no litter, and the next run is as on a fresh engine."""
        before = staged_in(settings)
        yield
        assert staged_in(settings) == before
        assert frames_digest(finish(engine, brief_workflow())) == brief_reference

    def test_at_the_beginning_of_each_stage_also_one_after_another(self, engine: Engine, settings: Settings) -> None:
        before = staged_in(settings)
        for phase in ("load", "prompt", "stage1", "upscale", "stage2", "decode", "save"):
            if phase in ("load", "prompt"):  # else they are not begun
                engine.unload()
            events = cancel_when(engine, brief_workflow(), at_phase(phase))

            begun = [event.id for event in events if isinstance(event, PhaseStarted)]
            assert begun[-1] == phase
            assert isinstance(events[-1], Cancelled)
            assert staged_in(settings) == before

    @pytest.mark.parametrize(("phase", "step"), [("stage1", 1), ("stage1", 4), ("stage2", 1)])
    def test_within_one_step(self, engine: Engine, phase: str, step: int) -> None:
        events = cancel_when(engine, small_workflow(seconds=2), at_step(phase, step))

        assert isinstance(events[-1], Cancelled)
        later = [event for event in events if isinstance(event, Step) and event.phase == phase and event.step > step]
        assert len(later) <= 1

    def test_between_two_tiles_of_a_decode(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from comfy.ldm.lightricks.vae.causal_video_autoencoder import VideoVAE

        tiles = {"tile_size": 64, "overlap": 0, "temporal_size": 16, "temporal_overlap": 4}
        workflow = edited(lambda nodes: nodes["Decode video"]["inputs"].update(tiles), width=256, height=192)
        cancel = CancelToken()
        decode = Counter(VideoVAE.decode)

        def cancelled_at_the_second_tile(*args: Any, **options: Any) -> Any:
            if decode.calls == 1:
                cancel.cancel()
                wait_until(boot(settings).model_management.processing_interrupted)
            return decode(*args, **options)

        monkeypatch.setattr(VideoVAE, "decode", cancelled_at_the_second_tile)

        assert outcome_of(engine.run(workflow, cancel)) == Cancelled()
        assert decode.calls == 2, "there are 24 tiles"

    def test_while_the_files_are_handed_over(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        cancel = CancelToken()
        real = run_folders.RunFolder.finish

        def cancelled_first(*args: Any) -> tuple[Path, ...]:
            cancel.cancel()
            return real(*args)

        monkeypatch.setattr(run_folders.RunFolder, "finish", cancelled_first)

        assert outcome_of(engine.run(brief_workflow(), cancel)) == Cancelled()

    def test_before_the_first_event(self, engine: Engine) -> None:
        cancel = CancelToken()
        cancel.cancel()

        assert collect(engine.run(brief_workflow(), cancel)) == [Cancelled()]

    def test_just_before_comfyui_clears_its_flag(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        comfy = boot(settings)
        cancel = CancelToken()
        real = comfy.nodes.interrupt_processing

        def cancelled_first(value: bool = True) -> None:
            if value is False:
                cancel.cancel()
                real(True)
            real(value)

        monkeypatch.setattr(comfy.nodes, "interrupt_processing", cancelled_first)
        events = collect(engine.run(brief_workflow(), cancel))

        assert isinstance(events[-1], Cancelled)
        assert not [event for event in events if isinstance(event, Step)]

    def test_in_the_middle_of_a_long_operation(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A stop that comes while a node computes, from another thread, is not lost."""
        cancel = CancelToken()
        comfy = boot(settings)
        decoder = comfy.nodes.NODE_CLASS_MAPPINGS["VAEDecodeTiled"]
        real = decoder.decode

        def decode(*args: Any, **options: Any) -> Any:
            cancel.cancel()
            wait_until(comfy.model_management.processing_interrupted)
            return real(*args, **options)

        monkeypatch.setattr(decoder, "decode", decode)

        assert outcome_of(engine.run(brief_workflow(), cancel)) == Cancelled()

    def test_while_waiting_for_another_run(self, engine: Engine, settings: Settings) -> None:
        first = engine.run(small_workflow(seed=21))
        while not isinstance(next(first), Step):
            pass

        events = cancel_when(engine, small_workflow(seed=22), lambda event: isinstance(event, Waiting))

        assert [type(event) for event in events if event in (Waiting("lane"), Cancelled())] == [Waiting, Cancelled]
        outcome = outcome_of(first)
        assert isinstance(outcome, Finished)
        run_folders.discard(outcome.outputs[0].path)

    def test_dropping_the_iterator_cancels_and_the_lane_is_held_until_it_has_unwound(
        self, engine: Engine, settings: Settings
    ) -> None:
        lane = boot(settings).lane
        events = engine.run(small_workflow(seconds=2))
        while not isinstance(next(events), Step):
            pass
        assert lane.locked()

        events.close()  # type: ignore[attr-defined]

        follower = collect(engine.run(small_workflow(seed=31)))
        assert isinstance(follower[-1], Finished)
        run_folders.discard(follower[-1].outputs[0].path)
        assert not lane.locked()

    def test_an_iterator_that_was_never_begun_holds_nothing(self, engine: Engine, settings: Settings) -> None:
        events = engine.run(brief_workflow())
        del events

        assert not boot(settings).lane.locked()

    def test_while_comfyui_boots(self, fresh_process: "FreshProcess") -> None:
        assert fresh_process.said["cancelled"] == [["Waiting", "Cancelled"], ["Waiting", "Cancelled"]]
        assert fresh_process.said["then"] == "Finished"


class TestFaults:
    @pytest.fixture(autouse=True)
    def nothing_is_left(self, engine: Engine, settings: Settings) -> Iterator[None]:
        before = staged_in(settings)
        yield
        assert staged_in(settings) == before
        assert not boot(settings).lane.locked()

    def error_of(self, engine: Engine, workflow: Workflow) -> Any:
        outcome = outcome_of(engine.run(workflow))
        assert isinstance(outcome, Failed), outcome
        assert outcome.error.hint
        assert "Traceback" not in outcome.error.message
        return outcome.error

    def test_an_unknown_node_is_named(self, engine: Engine) -> None:
        error = self.error_of(engine, edited(lambda nodes: nodes["Upscale"].update(class_type="FancyUpscale")))

        assert isinstance(error, WorkflowError)
        assert "FancyUpscale" in error.message
        assert error.where == "Upscale"

    def test_a_missing_model_file_is_named(self, engine: Engine) -> None:
        error = self.error_of(engine, edited(lambda nodes: nodes["Model"]["inputs"].update(ckpt_name="no.safetensors")))

        assert isinstance(error, ModelMissingError)
        assert "no.safetensors" in error.message
        assert error.where == "Model"

    def test_a_size_of_zero_is_refused_by_node_and_input(self, engine: Engine) -> None:
        error = self.error_of(engine, edited(lambda nodes: nodes["Empty video"]["inputs"].update(width=0)))

        assert isinstance(error, WorkflowError)
        assert "Empty video" in error.message
        assert "width" in error.hint

    def test_a_choice_that_does_not_exist_comes_with_the_choices(self, engine: Engine) -> None:
        error = self.error_of(
            engine, edited(lambda nodes: nodes["Stage 1 sampler"]["inputs"].update(sampler_name="warp"))
        )

        assert isinstance(error, WorkflowError)
        assert "'warp'" in error.message
        assert "euler" in error.hint

    def test_a_missing_input_is_named(self, engine: Engine) -> None:
        error = self.error_of(engine, edited(lambda nodes: nodes["Prompt"]["inputs"].pop("text")))

        assert "Prompt" in error.message
        assert "text" in error.hint

    def test_a_graph_that_saves_nothing_is_refused(self, engine: Engine) -> None:
        graph = dict(brief_workflow().graph)
        (save,) = [key for key, node in graph.items() if node["class_type"] == "SaveVideo"]
        del graph[save]

        error = self.error_of(engine, Workflow("nothing", graph))

        assert "saves nothing" in error.message

    def test_a_link_to_nowhere_is_refused(self, engine: Engine) -> None:
        error = self.error_of(engine, edited(lambda nodes: nodes["Video"]["inputs"].update(images=["999", 0])))

        assert isinstance(error, WorkflowError)

    def test_a_node_that_fails_says_where_and_keeps_its_traceback(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.break_decoder(settings, monkeypatch, RuntimeError("the tiles do not fit"))

        error = self.error_of(engine, brief_workflow())

        assert type(error) is ExecutionError
        assert error.message == "Decode video failed: the tiles do not fit"
        assert "Traceback" in error.details or "decode" in error.details

    def test_out_of_memory_is_told_apart(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        self.break_decoder(settings, monkeypatch, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"))

        error = self.error_of(engine, brief_workflow())

        assert isinstance(error, OutOfMemoryError)
        assert "smaller" in error.hint

    def test_a_damaged_model_file_is_said_to_be_damaged(self, engine: Engine, settings: Settings) -> None:
        damaged = settings.models_dir / "latent_upscale_models" / "damaged.safetensors"
        damaged.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00this is no header")
        try:
            error = self.error_of(
                engine, edited(lambda nodes: nodes["Upscaler"]["inputs"].update(model_name=damaged.name))
            )
        finally:
            damaged.unlink()

        assert isinstance(error, ExecutionError)
        assert "damaged" in error.message

    def test_a_full_disk_leaves_nothing_behind(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        saver = boot(settings).nodes.NODE_CLASS_MAPPINGS["SaveVideo"]
        real = saver.execute.__func__

        def save(cls: Any, *args: Any, **options: Any) -> Any:
            real(cls, *args, **options)
            raise av.error.OSError(28, "No space left on device")  # what PyAV raises for a write to /dev/full

        monkeypatch.setattr(saver, "execute", classmethod(save))

        assert "disk is full" in self.error_of(engine, brief_workflow()).message

    @pytest.mark.parametrize("place", ["create", "RunFolder.finish"])
    def test_a_disk_that_fills_up_outside_of_comfyui_is_told_too(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        def full(*args: Any) -> Any:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(f"ltx_studio.engine.run_folders.{place}", full)

        assert "disk is full" in self.error_of(engine, brief_workflow()).message

    def test_torchs_word_for_out_of_memory_on_a_cpu_is_known(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        with pytest.raises(RuntimeError) as caught:
            torch.empty(2**60, dtype=torch.uint8)
        self.break_decoder(settings, monkeypatch, caught.value)

        assert isinstance(self.error_of(engine, brief_workflow()), OutOfMemoryError)

    @pytest.mark.parametrize("words", ["Header missing: 'a.mp3'", "safetensors are a file format"])
    def test_words_alone_do_not_make_a_model_file_damaged(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, words: str
    ) -> None:
        self.break_decoder(settings, monkeypatch, RuntimeError(words))

        assert "damaged" not in self.error_of(engine, brief_workflow()).message

    def test_the_run_after_a_failure_is_as_ever(
        self, engine: Engine, settings: Settings, brief_reference: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as broken:
            self.break_decoder(settings, broken, RuntimeError("once"))
            self.error_of(engine, brief_workflow())

        path = finish(engine, brief_workflow())
        assert frames_digest(path) == brief_reference
        run_folders.discard(path)

    @staticmethod
    def break_decoder(settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def decode(*args: Any, **options: Any) -> Any:
            raise error

        monkeypatch.setattr(boot(settings).nodes.NODE_CLASS_MAPPINGS["VAEDecodeTiled"], "decode", decode)


class TestOtherOutputs:
    """Graphs of a user's own save in other ways than the modes do."""

    @staticmethod
    def with_nodes(name: str, **nodes: dict[str, Any]) -> Workflow:
        return Workflow(name, {**edited(lambda _: None).graph, **nodes})

    def with_pictures(self) -> Workflow:
        inputs = {"images": [self.id_of("Decode video"), 0], "filename_prefix": "i"}
        return self.with_nodes("pictures", extra={"class_type": "SaveImage", "inputs": inputs})

    @staticmethod
    def id_of(title: str) -> str:
        return next(key for key, node in brief_workflow().graph.items() if node["_meta"]["title"] == title)

    def test_pictures_are_saved_in_every_run(self, engine: Engine, settings: Settings) -> None:

        for _ in range(2):
            outcome = outcome_of(engine.run(self.with_pictures()))
            assert isinstance(outcome, Finished)
            assert sorted(output.path.suffix for output in outcome.outputs) == [".mp4", *[".png"] * 17]
            assert all(output.path.stat().st_size for output in outcome.outputs)
            (folder,) = {output.path.parent for output in outcome.outputs}
            assert run_folders.finished(
                settings.staging_dir, run_folders.run_id_of(outcome.outputs[0].path) or ""
            ) == tuple(output.path for output in outcome.outputs)
            run_folders.discard(outcome.outputs[0].path)
            assert not folder.exists()

    def test_two_equal_savers_give_one_file(self, engine: Engine) -> None:
        twin = brief_workflow().graph[self.id_of("Save t2v")]

        outcome = outcome_of(engine.run(self.with_nodes("twins", twin=dict(twin))))

        assert isinstance(outcome, Finished)
        assert len(outcome.outputs) == 1

    def test_a_failure_in_the_middle_of_the_handing_over_leaves_nothing(
        self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before, real = staged_in(settings), Path.replace

        def fail_at_the_third(file: Path, target: Path) -> Path:
            if target.stem == "0003":
                raise OSError(28, "No space left on device")
            return real(file, target)

        monkeypatch.setattr(Path, "replace", fail_at_the_third)

        assert isinstance(outcome_of(engine.run(self.with_pictures())), Failed)
        assert staged_in(settings) == before

    @pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/b", "x" * 300, "nul\0"])
    def test_a_name_cannot_lead_out_of_staging(self, engine: Engine, settings: Settings, name: str) -> None:
        outcome = outcome_of(engine.run(Workflow(name, brief_workflow().graph)))

        assert isinstance(outcome, Finished)
        assert outcome.outputs[0].path.parent.parent == settings.staging_dir


class TestReplacedFiles:
    def test_another_file_under_the_same_name_is_loaded(self, engine: Engine, settings: Settings) -> None:
        encoder = settings.models_dir / files.TEXT_ENCODER
        before, original = frames_digest(finish(engine, brief_workflow())), encoder.read_bytes()
        try:
            encoder.write_bytes(original[: len(original) // 10] + bytes(len(original) - len(original) // 10))
            other = frames_digest(finish(engine, brief_workflow()))
        finally:
            encoder.write_bytes(original)

        assert other != before
        assert frames_digest(finish(engine, brief_workflow())) == before


class TestTwoHomes:
    def test_each_engine_uses_its_own_folders(self, engine: Engine, settings: Settings, home: Settings) -> None:
        other = Engine(replace(home, comfy_dir=settings.comfy_dir))
        other.wait_ready()
        install(home)

        made, theirs = finish(engine, brief_workflow()), finish(other, brief_workflow())

        assert made.is_relative_to(settings.home)
        assert theirs.is_relative_to(home.home)
        assert frames_digest(made) == frames_digest(theirs)


class TestClose:
    def test_stops_what_runs_and_what_waits(self, engine: Engine, settings: Settings) -> None:
        closing = Engine(settings)
        closing.wait_ready()
        first, second = closing.run(small_workflow(seconds=5)), closing.run(small_workflow(seconds=5))
        while not isinstance(next(first), Step):
            pass
        assert isinstance(next(second), Waiting)

        assert closing.close(60)

        assert outcome_of(second) == outcome_of(first) == Cancelled()
        assert outcome_of(closing.run(small_workflow())) == Cancelled()
        assert isinstance(outcome_of(engine.run(small_workflow())), Finished)

    def test_an_idle_engine_closes_at_once(self, settings: Settings) -> None:
        assert Engine(settings).close(0)

    def test_while_comfyui_is_being_booted_it_is_not_at_rest(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go_on = threading.Event()

        def fail_later(_settings: Settings) -> None:
            go_on.wait()
            raise SetupError("Broken.", "Mend it.")

        monkeypatch.setattr("ltx_studio.engine.engine.boot.boot", fail_later)
        engine = Engine(settings)
        engine.start()

        assert not engine.close(60)

        go_on.set()
        with pytest.raises(SetupError):
            engine.wait_ready()
        assert engine.close(0)


class TestMemory:
    def test_reads_the_device_and_the_loaded_models(self, engine: Engine) -> None:
        finish(engine, brief_workflow())
        reading = engine.memory()

        assert reading is not None
        assert reading.total > reading.free > 0
        assert "LTXAV" in dict(reading.models)
        assert reading.device in str(reading)

    def test_unload_frees_every_model(self, engine: Engine) -> None:
        finish(engine, brief_workflow())
        engine.unload()
        reading = engine.memory()

        assert reading is not None
        assert reading.models == ()

    def test_unload_is_refused_during_a_run(self, engine: Engine) -> None:
        events = engine.run(small_workflow())
        while not isinstance(next(events), Step):
            pass
        with pytest.raises(BusyError, match="in use by a run"):
            engine.unload()
        assert isinstance(outcome_of(events), Finished)

    def test_an_engine_that_has_not_started_has_no_reading(self, settings: Settings) -> None:
        idle = Engine(settings)

        assert idle.memory() is None
        assert not idle.ready
        idle.unload()


class TestTheTerminal:
    def test_a_run_prints_nothing(self, fresh_process: "FreshProcess") -> None:
        assert fresh_process.stderr == ""
        assert fresh_process.lines == 1

    def test_comfyuis_log_goes_to_the_studios(self, fresh_process: "FreshProcess", settings: Settings) -> None:
        assert "Set vram state to" in settings.log_file.read_text()

    def test_our_own_module_named_app_does_not_hide_comfyuis(self, fresh_process: "FreshProcess") -> None:
        assert fresh_process.said["app"] == ["build_app", "logger"]


@pytest.mark.gpu
def test_on_a_gpu_the_device_is_found_by_comfyui(engine: Engine) -> None:
    finish(engine, brief_workflow())
    reading = engine.memory()

    assert reading is not None
    assert reading.device.startswith("cuda")
    assert reading.tier != "disabled"
