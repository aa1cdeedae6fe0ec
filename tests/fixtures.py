"""Fixtures: a studio home of the tests' own, and one booted engine for the whole session."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest

from ltx_studio.downloads import ensure
from ltx_studio.engine import Engine, comfyui
from ltx_studio.engine.definitions import snapshot_path
from ltx_studio.graph.definitions import Definitions, load_definitions
from ltx_studio.pocket.install import install
from ltx_studio.runners import downloader, patience, worker
from ltx_studio.settings import Settings, get_settings, home_of
from ltx_studio.studio import models
from tests.samples import draw_samples
from tests.support import SMALL
from tools import browser

Request = Callable[..., dict[str, Any]]

DEVELOPERS = Settings(
    home=home_of(os.environ),
    comfy_dir=Path(comfy).expanduser().absolute() if (comfy := os.environ.get("LTX_STUDIO_COMFY_DIR")) else None,
)
"""Where set-up installed ComfyUI. Nothing else of the developer's own studio is used."""

EMPTY = TemporaryDirectory(prefix="ltx-studio-tests-", ignore_cleanup_errors=True)
"""What takes the place of the system's folder for user data."""

SLOW_LAST = (
    "tests/editor_format",
    "tests/graph",
    "tests/fuzz",
    "tests/downloads",
    "tests/models",
    "lab/tests/training/test_train.py",
    "tests/families",
    "tests/modes/test_runs.py",
    "tests/runners",  # which wait most of the time, while the other process renders
    "tests/modes",
    "lab/tests/obey",
    "tests/engine",
    "tests/takes",
    "tests/queue",
    "tests/studio",
    "tests/cli",
    "tests/pocket",
    "tests/runners/zerogpu/hosted",  # with a browser
    "tests/web/test_serve",
    "tests/web/test_page.py",
    "tests/web/forms/test_kept.py",
    "tests/web/test_modes.py",
    "tests/web/panels/test_models.py",
    "tests/web/test_accessibility.py",
    "tests/web/test_generate.py",
    "tests/web/test_frame.py",
    "tests/web/panels",
    "tests/web",
)
"""Where the slow tests are: of these the longest first, so that two workers end at about the same time, and those with
a browser last, for its loop stays in the thread, where ComfyUI's own `asyncio.run` then does not work."""


KINDS: Mapping[str, set[str]] = {
    "engine": {"engine", "installed", "apart", "terminal", "shared_host"},
    "browser": {"browser", "page", "context", "playwright"},
}
"""Marks of tests, by the fixtures that they need: `make check` leaves these tests out."""

NOT_DRAWN = r"visible, enabled and stable\s*\Z"
"""The end of a click's log when Chromium has stopped drawing, as it sometimes does for good.

No frame comes, so Playwright cannot see that an element rests. Such a test runs once more, with a new page. A page that
moves adds "element is not stable" to the log, and its test fails.
"""

SLOW = tuple(
    f"tests/{path}.py"
    for path in (
        "cli/test_commands", "cli/test_damage", "cli/test_models", "cli/test_workers",
        "downloads/test_ensure", "downloads/test_xet",
        "engine/test_comfyui", "fuzz/test_fuzz", "graph/test_confinement", "graph/test_scale", "media/test_downmix",
        "media/test_edges", "media/test_hostile", "media/test_joined",
        "media/test_prepare_inputs", "media/test_probe", "media/test_shown",
        "media/test_table", "models/test_upkeep", "modes/test_lengths", "queue/test_rebuild", "runners/test_downloader",
        "runners/ray/test_runner",
        "runners/test_executor", "runners/test_processes", "runners/zerogpu/hosted/test_app",
        "runners/zerogpu/test_stream", "studio/test_in_request", "test_app", "test_forked", "test_permissions",
        "test_sandbox", "test_setup_script", "web/access/test_answers", "web/gradio_compat/test_components",
        "web/test_examples", "web/forms/test_form", "web/access/test_gate", "web/test_lan",
        "web/gradio_compat/test_light", "web/access/test_unforeseen",
        "web/test_model_api", "web/panels/test_model_work",
        "web/test_own_form", "web/test_serve", "web/test_served", "web/gradio_compat/test_sessions",
    )
)  # fmt: skip
"""Modules of over two seconds that need neither: they start processes or servers, or read large files."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--gpu", action="store_true", help="also run the tests that need a GPU")
    parser.addoption("--all", action="store_true", help="also run the rows of tables that take long")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Hide the developer's own settings before a test is imported.

    The process that only distributes tests keeps them, for those that it starts find ComfyUI by them.
    """
    if session.config.pluginmanager.hasplugin("dsession"):
        gc.enable()
        return
    for name in [name for name in os.environ if name.startswith("LTX_STUDIO_")]:
        del os.environ[name]
    os.environ["XDG_DATA_HOME"] = EMPTY.name
    get_settings.cache_clear()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put fast tests first; leave out what was not asked for: tests that need a GPU say so, more rows do not."""

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(config.rootpath).as_posix()
        begins = [each for each in SLOW_LAST if path.startswith(each)]
        return SLOW_LAST.index(max(begins, key=len)) + 1 if begins else 0

    items.sort(key=rank)
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        for kind, fixtures in KINDS.items():
            if needed & fixtures:
                item.add_marker(kind)
        if "browser" in item.keywords:  # each test with this mark costs 20 ms, so no other has it
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=NOT_DRAWN))
        if item.path.relative_to(config.rootpath).as_posix() in SLOW:
            item.add_marker("slow")
    if not config.getoption("--all"):
        left_out = [item for item in items if "thorough" in item.keywords]
        items[:] = [item for item in items if "thorough" not in item.keywords]
        config.hook.pytest_deselected(items=left_out)
    if not config.getoption("--gpu"):
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="needs a GPU: run `make test-gpu`"))


def pytest_collection_finish() -> None:
    """Exempt what the tests have imported from garbage collection, which some of them and the engine ask for often.

    A full collection still goes through every open page and the engine, in half a second: have it done seldom.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 100)
    gc.enable()


Looks = Sequence[tuple[ModuleType, str, float]]
NEWS: Looks = (
    (patience, "PAUSE_SECONDS", 0.2),
    (worker, "PAUSE_SECONDS", 0.2),
    (downloader, "PAUSE_SECONDS", 0.2),
    (downloader, "IDLE_SECONDS", 0.1),
    (downloader, "REPORT_SECONDS", 0.1),
    (ensure, "TICK", 0.05),
    (models, "LOOK_SECONDS", 0.05),
)
"""How often those that wait look for news, in seconds: for users a second is soon enough."""


@contextmanager
def looking(looks: Looks) -> Iterator[None]:
    """Have modules look for news as often as a table says: module, name of its constant, seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, seconds in looks:
            patch.setattr(module, name, seconds)
        yield


@pytest.fixture(scope="session", autouse=True)
def _news_come_soon() -> Iterator[None]:
    with looking(NEWS):
        yield


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An empty home, with the ComfyUI that set-up installed."""
    installed = comfyui.find(DEVELOPERS)
    home = tmp_path_factory.mktemp("home")
    return Settings(home=home, comfy_dir=installed.path, hub_cache=home / "hub")


@pytest.fixture(scope="session")
def set_up(settings: Settings) -> Settings:
    """The home, set up: it has the pocket model, and the snapshot of node definitions that set-up took."""
    snapshot = snapshot_path(settings)
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(snapshot_path(DEVELOPERS), snapshot)
    install(settings)
    return settings


@pytest.fixture(scope="session")
def engine(set_up: Settings) -> Engine:
    """A booted engine; the pocket model is where it looks."""
    engine = Engine(set_up)
    engine.wait_ready()
    _SHARED.append(engine)
    return engine


_SHARED: list[Engine] = []
"""The engine of the session, once it is booted."""


@pytest.fixture(scope="module", autouse=True)
def shared_engine_stays_open() -> Iterator[None]:
    """Name the module that closes the engine of all tests: later runs would end as cancelled."""
    before = [engine._closed.is_set() for engine in _SHARED]
    yield
    closed = [engine._closed.is_set() for engine in _SHARED]
    assert not any(closed[len(before) :]), "a test closed the engine that all tests share"
    assert closed[: len(before)] == before, "a test closed the engine that all tests share"


@pytest.fixture
def few_steps(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sample every stage in two steps, for tests of what goes into the sampling and what becomes of its result."""
    shorten_sampling(monkeypatch)


def shorten_sampling(patch: pytest.MonkeyPatch) -> None:
    """Sample every stage in two steps; ComfyUI must have booted."""
    from comfy.samplers import CFGGuider

    sample = CFGGuider.sample

    def shortened(guider: Any, noise: Any, latent: Any, sampler: Any, sigmas: Any, *others: Any, **options: Any) -> Any:
        if len(sigmas) > 3:
            sigmas = sigmas[[0, len(sigmas) // 2, -1]]
        return sample(guider, noise, latent, sampler, sigmas, *others, **options)

    patch.setattr(CFGGuider, "sample", shortened)


@pytest.fixture(scope="session")
def definitions(set_up: Settings) -> Definitions:
    """The node definitions of the installed ComfyUI, without starting it."""
    return load_definitions(snapshot_path(set_up))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's browser, not one that Playwright downloads."""
    return browser_type_launch_args | {"executable_path": browser.find(), "args": browser.FLAGS}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home for one test, where nothing is installed."""
    return Settings(home=tmp_path / "home", hub_cache=tmp_path / "hub")


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return draw_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def small(samples: Mapping[str, Path]) -> Request:
    """``small("i2v", seed=3)``: a whole request for a mode, 17 frames of 128×128, with changes."""
    files = {
        "t2v": {},
        "a2v": {"audio": samples["sound"]},
        "i2v": {"image": samples["image"]},
        "lipsync": {"image": samples["image"], "audio": samples["sound"]},
        "keyframe": {"first_image": samples["image"], "last_image": samples["last"]},
        "style": {"clip": samples["clip"]},
    }

    def request(mode: str, **changes: Any) -> dict[str, Any]:
        return {**SMALL, **files[mode], **changes}

    return request
