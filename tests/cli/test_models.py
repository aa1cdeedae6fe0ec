"""`ltx-studio models` as a person or a script uses it: in a process of its own, against a hub on loopback."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ltx_studio.cli.models import _what_is_left
from ltx_studio.models.hub_cache import PARTIAL
from ltx_studio.queue.database import Database
from ltx_studio.queue.downloads import DownloadQueue
from ltx_studio.text.phrases import KEPT
from tests.forked import run_forked
from tests.shop import SIZE, Shop
from tests.support import ROOT

FEW = 400_000
TINY_DISK = 8
"""MiB."""


def run(shop: Shop, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return run_forked(["models", *arguments], shop.environment(**changes), ROOT, 100)


def answer(done: "subprocess.CompletedProcess[str]") -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_stopped_command_says_what_happens_with_the_download(tmp_path: Path) -> None:
    queue = DownloadQueue(Database(tmp_path / "studio.db"))
    download_id = queue.submit("A file", "/cache", ["loras/a"])
    stop = f"run `ltx-studio models stop {download_id}`."

    assert _what_is_left(None) == KEPT
    assert _what_is_left(queue.get(download_id)) == f"It is queued. To remove it, {stop}"
    queue.claim("/cache", "another")
    said = _what_is_left(queue.get(download_id))
    assert said == f"The download continues in another process. To stop it, {stop}"


def test_plan_tells_the_true_minimum_of_an_empty_machine_without_a_network(shop: Shop) -> None:
    plan = answer(run(shop, "plan", "--model-set", "fp8", "--json"))

    assert plan["total_bytes"] == plan["missing_bytes"] == 42_984_366_686
    assert plan["present_bytes"] == 0
    assert plan["fits"] is (plan["free_bytes"] >= plan["missing_bytes"])
    assert len(plan["files"]) == 5
    assert {"name", "repo", "bytes", "present", "gated", "licence"} <= set(plan["files"][0])
    assert shop.hub.requests == []
    told = run(shop, "plan", "--model-set", "fp8").stdout
    assert "It needs a GPU with 12 GB (faster with 32 GB), and 48 GB of memory. These are estimates." in told
    one = answer(run(shop, "plan", "--mode", "t2v", "--json"))
    assert one["total_bytes"] == 42_984_366_686 - 654_465_352, "text to video needs no union control"


def test_plan_says_no_when_it_does_not_fit(shop: Shop) -> None:
    shop.add("huge.safetensors", bytes=10**15)

    done = run(shop, "plan", "huge.safetensors")

    assert "Not enough space" in done.stdout.splitlines()[-1]
    assert "HF_HUB_CACHE" in done.stdout.splitlines()[-1]
    assert answer(run(shop, "plan", "huge.safetensors", "--json"))["fits"] is False


def test_get_fetches_and_tells_how_far_it_is(shop: Shop) -> None:
    file = shop.add("a.safetensors")

    done = run(shop, "get", "a.safetensors")

    assert done.returncode == 0
    assert "100%" in done.stderr
    assert "done" in done.stderr
    assert "Downloaded 1 of 1 files, 3.0 MB" in done.stdout
    assert shop.cached(file).read_bytes() == shop.contents(file)
    again = answer(run(shop, "get", "loras/a.safetensors", "--json"))
    assert again == {
        "files": [{"name": "a.safetensors", "folder": "loras", "path": str(shop.store().path(file))}],
        "fetched": [],
    }


def test_a_killed_process_goes_on_where_it_was(shop: Shop) -> None:
    """SIGKILL in the middle; what is sent again is less than a tenth."""
    file, size = shop.add("a.safetensors", size=4 * SIZE), 4 * SIZE
    held = shop.hub.fail(file.path, cut=size // 2, wait=threading.Event())
    command = [sys.executable, "-m", "ltx_studio", "models", "get", "a.safetensors"]
    process = subprocess.Popen(command, env=shop.environment(), stderr=subprocess.PIPE, cwd=ROOT)
    partial = wait_for_bytes(shop, size // 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert held.wait is not None
    held.wait.set()
    assert partial.stat().st_size == size // 2
    assert not shop.store().path(file).exists()

    done = run(shop, "get", "a.safetensors")

    assert done.returncode == 0, done.stderr
    assert shop.cached(file).read_bytes() == shop.contents(file)
    assert shop.hub.sent() - size < size * 0.1
    assert list(partial.parent.glob("*incomplete")) == []


def wait_for_bytes(shop: Shop, count: int) -> Path:
    assert shop.settings.hub_cache is not None
    for _ in range(3000):
        for path in shop.settings.hub_cache.rglob(f"*{PARTIAL}"):
            if path.stat().st_size >= count:
                return path
        time.sleep(0.01)
    raise AssertionError("the bytes never came")


def test_ctrl_c_stops_and_keeps_what_came(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    held = shop.hub.fail(file.path, cut=SIZE // 2, wait=threading.Event())
    command = [sys.executable, "-m", "ltx_studio", "models", "get", "a.safetensors"]
    process = subprocess.Popen(command, env=shop.environment(), stderr=subprocess.PIPE, text=True, cwd=ROOT)
    wait_for_bytes(shop, SIZE // 2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert held.wait is not None
    held.wait.set()

    assert process.returncode == 1
    assert stderr.splitlines()[-1].startswith("Stopped. Downloaded data is kept")
    assert run(shop, "get", "a.safetensors").returncode == 0
    assert shop.hub.sent() - SIZE < SIZE * 0.1


def test_a_gate_ends_with_what_to_do_and_a_token_opens_it(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.repos[file.repo].gate = "hf_secret"

    closed = run(shop, "get", "a.safetensors")
    as_json = run(shop, "get", "a.safetensors", "--json")
    opened = run(shop, "get", "a.safetensors", HF_TOKEN="hf_secret")

    assert closed.returncode == as_json.returncode == 1
    assert "HF_TOKEN" in closed.stderr.splitlines()[-1]
    assert json.loads(as_json.stderr)["error"] == "gated"
    assert opened.returncode == 0
    assert "hf_secret" not in (shop.settings.log_file.read_text() + opened.stderr + opened.stdout)


def test_on_a_terminal_a_gate_asks_for_a_token_and_does_not_show_it(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.repos[file.repo].gate = "hf_secret"
    shown, code = on_a_terminal(shop, ["get", "a.safetensors"], "Token", "hf_secret")

    assert code == 0, shown
    assert "requires your consent" in shown
    assert "hf_secret" not in shown
    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_on_a_terminal_nobody_is_asked_for_a_token_without_need(shop: Shop) -> None:
    """And names and notes are shown as they are, whatever they would mean to the library that draws the bars."""
    file = shop.add("[bold]x[link=y].safetensors")
    shop.hub.fail("x[link=y].safetensors", headers={"Content-Length": "7[/b]"})

    shown, code = on_a_terminal(shop, ["get", file.key], "", "")

    assert code == 0, shown
    assert "Token" not in shown
    assert "Downloaded 1 of 1 files, 3.0 MB" in shown


def on_a_terminal(shop: Shop, arguments: list[str], question: str, reply: str) -> tuple[str, int]:
    """Run a command on a terminal of its own, answer one question; gives what was shown and the exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ltx_studio", "models", *arguments]
    process = subprocess.Popen(
        command, env=shop.environment(), stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, start_new_session=True
    )
    os.close(theirs)
    shown, is_answered = b"", not question
    with contextlib.suppress(OSError):  # the other end is closed
        while block := os.read(ours, 4096):
            shown += block
            if not is_answered and question.encode() in shown:
                time.sleep(0.2)  # until the echo is off
                os.write(ours, f"{reply}\n".encode())
                is_answered = True
    code = process.wait(30)
    os.close(ours)
    return shown.decode(errors="replace"), code


def test_offline_mode_asks_nobody(shop: Shop) -> None:
    shop.add("a.safetensors")

    done = run(shop, "get", "a.safetensors", HF_HUB_OFFLINE="1")

    assert done.returncode == 1
    assert "HF_HUB_OFFLINE" in done.stderr
    assert shop.hub.requests == []


def test_verify_finds_what_is_damaged_and_repairs_it(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    run(shop, "get", "a.safetensors")
    blob = shop.cached(file).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")

    by_size = run(shop, "verify")
    by_contents = run(shop, "verify", "--hash")
    repaired = run(shop, "verify", "--hash", "--repair")

    assert (by_size.returncode, by_contents.returncode, repaired.returncode) == (0, 1, 0)
    assert "ok" in by_size.stdout
    assert "damaged" in by_contents.stdout
    assert "--repair" in by_contents.stderr
    assert shop.cached(file).read_bytes() == shop.contents(file)
    assert answer(run(shop, "verify", "--hash", "--json"))["files"][0]["ok"] is True


def test_a_repair_moves_what_is_in_the_way_aside_and_mends_a_lost_blob(shop: Shop) -> None:
    blocked, lost = shop.add("blocked.safetensors"), shop.add("lost.safetensors")
    run(shop, "get", "blocked.safetensors", "lost.safetensors")
    own = shop.store().path(blocked)
    own.unlink()
    own.write_bytes(b"junk")
    shop.cached(lost).resolve().unlink()

    found = run(shop, "verify")
    repaired = run(shop, "verify", "--repair")

    assert (found.returncode, repaired.returncode) == (1, 0), found.stdout + repaired.stderr
    assert "lost.safetensors" in found.stdout
    assert own.with_name("blocked.safetensors.damaged").read_bytes() == b"junk"
    assert own.read_bytes() == shop.contents(blocked)
    assert shop.cached(lost).read_bytes() == shop.contents(lost)
    assert run(shop, "verify", "--hash").returncode == 0


def test_a_repair_without_a_source_keeps_the_only_copy(shop: Shop) -> None:
    mine, other = shop.know("mine.safetensors"), shop.add("other.safetensors")
    run(shop, "get", "other.safetensors")
    own = shop.store().path(mine)
    own.write_bytes(b"all I have")
    blob = shop.cached(other).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")

    done = run(shop, "verify", "--hash", "--repair")

    assert done.returncode == 1
    assert "mine.safetensors" in done.stderr
    assert own.read_bytes() == b"all I have"
    assert shop.cached(other).read_bytes() == shop.contents(other), "what can be had is repaired"


def test_verify_of_a_missing_file_says_so(shop: Shop) -> None:
    shop.add("a.safetensors")

    done = run(shop, "verify", "a.safetensors")

    assert done.returncode == 1
    assert "missing" in done.stdout


def test_remove_asks_first_and_shows_what_it_frees(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    run(shop, "get", "a.safetensors")

    unasked = run(shop, "remove", "a.safetensors")
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr.splitlines()[-1]
    assert shop.cached(file).exists()
    done = run(shop, "remove", "a.safetensors", "--yes")

    assert "Freed 3.0 MB." in done.stdout
    assert shop.store().find(file) is None
    assert run(shop, "remove", "--yes").returncode == 2, "remove what?"


def test_removing_a_set_keeps_what_another_whole_set_needs(shop: Shop) -> None:
    names = {"checkpoints": ("one", "two"), "text_encoders": ("shared",), "latent_upscale_models": ("up",)}
    for folder, files in names.items():
        for name in files:
            shop.add(f"{name}.safetensors", folder=folder, size=FEW)
    with (shop.settings.home / "models.toml").open("a") as own:
        for name in names["checkpoints"]:
            own.write(
                f'[sets.{name}]\nlabel = "{name}"\nwidth = 256\nheight = 256\ntoken_width = 128\n'
                f'checkpoint = "{name}.safetensors"\ntext_encoder = "shared.safetensors"\n'
                'upscaler = "up.safetensors"\n'
            )
    modes = ["--mode", "t2v", "--mode", "i2v"]
    for name in names["checkpoints"]:
        assert run(shop, "get", "--model-set", name, *modes).returncode == 0

    shop.store().path(shop.store().registry.get_file("up.safetensors")).unlink()  # the other set is not whole now

    removed = answer(run(shop, "remove", "--model-set", "one", *modes, "--yes", "--json"))

    assert [item["name"] for item in removed["removed"]] == ["one.safetensors"]
    assert removed["freed_bytes"] == FEW
    assert run(shop, "verify", "--model-set", "two", *modes).returncode == 0


def test_clean_removes_what_interrupted_downloads_left(shop: Shop) -> None:
    shop.add("a.safetensors")
    left = shop.store().cache.blob("org/small", f"{'a' * 64}.1a2b3c4d.incomplete")
    left.parent.mkdir(parents=True)
    left.write_bytes(bytes(1234))

    assert run(shop, "clean").returncode == 2
    cleaned = answer(run(shop, "clean", "--yes", "--json"))

    assert cleaned == {"removed": [str(left)], "freed_bytes": 1234}
    assert not left.exists()


@pytest.mark.parametrize("command", [["models", "refresh"], ["tools/refresh_models.py"]], ids=["command", "tool"])
def test_refresh_mends_the_links(shop: Shop, command: list[str]) -> None:
    file = shop.add("a.safetensors")
    run(shop, "get", "a.safetensors")
    path = shop.store().path(file)
    path.unlink()
    path.symlink_to("/nowhere")
    start = [sys.executable] if command[0].endswith(".py") else [sys.executable, "-m", "ltx_studio"]

    done = subprocess.run(
        [*start, *command], env=shop.environment(), capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    assert "loras/a.safetensors" in done.stdout
    assert path.read_bytes() == shop.contents(file)


def test_list_shows_every_set_and_file(shop: Shop) -> None:
    shop.add("a.safetensors")
    shown = answer(run(shop, "list", "--json"))

    assert list(shown["sets"]) == ["pocket", "fp8", "bf16", "nvfp4", "distilled-fp8", "split"]
    assert shown["sets"]["fp8"]["missing_bytes"] == 42_984_366_686
    assert "a.safetensors" in [file["name"] for file in shown["files"]]
    assert "43.0 GB to download" in run(shop, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["get", "nothing.safetensors"], "nothing.safetensors"),
        (["get", "--model-set", "huge"], "'huge'"),
        (["plan", "--mode", "x2v"], "'x2v'"),
        (["get", "../../etc/passwd"], "passwd"),
        (["plan", "a.safetensors", "--mode", "t2v"], "cannot be combined with"),
    ],
)
def test_a_wrong_choice_exits_with_2(shop: Shop, arguments: list[str], said: str) -> None:
    shop.add("a.safetensors")

    done = run(shop, *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_models_toml_says_where(shop: Shop) -> None:
    shop.settings.home.mkdir(parents=True)
    (shop.settings.home / "models.toml").write_text('[files."loras/evil.ckpt"]\n')

    done = run(shop, "list")

    assert done.returncode == 1
    assert "pickle" in done.stderr.splitlines()[0]
    assert "models.toml" in done.stderr.splitlines()[-1]


def can_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs a file system of its own: unshare -rm")
def test_a_disk_that_is_too_small_is_refused_and_one_that_fills_up_is_a_clean_error(shop: Shop, tmp_path: Path) -> None:
    """On a real file system of 8 MiB: first too small for the file, then filled by somebody while it comes."""
    file = shop.add("a.safetensors", size=5 * SIZE)
    small = shop.add("b.safetensors", size=2 * SIZE)
    disk = tmp_path / "disk"
    disk.mkdir()
    held = shop.hub.fail(small.path, cut=SIZE, wait=threading.Event())
    assert held.wait is not None
    script = f"""
    mount -t tmpfs -o size={TINY_DISK}m none {disk}
    {sys.executable} -m ltx_studio models get {file.name} 2>&1; echo "refused: $?"
    {sys.executable} -m ltx_studio models get {small.name} 2>&1 &
    until [ "$(find {disk} -name '*{PARTIAL}' -size +2900k | wc -l)" = 1 ]; do sleep 0.05; done
    head -c 4000000 /dev/zero > {disk}/others
    touch {tmp_path}/filled
    wait $!; echo "filled: $?"
    find {disk} -name '*{PARTIAL}' -printf 'kept %s\\n'
    rm {disk}/others
    {sys.executable} -m ltx_studio models get {small.name} 2>&1; echo "again: $?"
    """
    watcher = threading.Thread(target=release_when, args=(tmp_path / "filled", held.wait), daemon=True)
    watcher.start()

    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", script],
        env=shop.environment(HF_HUB_CACHE=str(disk / "hub")),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=ROOT,
    )

    said = done.stdout
    assert "refused: 1" in said, said + done.stderr
    assert "The download needs 15.0 MB, but only" in said
    assert "filled: 1" in said
    assert "The disk is full: b.safetensors needs 6.0 MB." in said
    assert "kept" in said
    assert "again: 0" in said
    assert "Traceback" not in said
    assert shop.hub.sent(file.path) == 0
    assert shop.hub.sent(small.path) < 2.2 * 2 * SIZE


def release_when(file: Path, event: threading.Event) -> None:
    for _ in range(2000):
        if file.exists():
            break
        time.sleep(0.02)
    event.set()


def test_the_environment_of_these_tests_is_their_own(shop: Shop) -> None:
    assert os.environ.get("HF_HUB_CACHE") != shop.environment()["HF_HUB_CACHE"]
