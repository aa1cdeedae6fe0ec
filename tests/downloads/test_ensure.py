"""Having files here, against a real hub on loopback: resumed, retried, checked, and never half."""

import errno
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

from ltx_studio.cancel import CancelToken
from ltx_studio.downloads import ensure_models
from ltx_studio.downloads import file_download as fetching
from ltx_studio.downloads.file_download import Patience
from ltx_studio.downloads.hub import _pause
from ltx_studio.errors import DiskFullError, DownloadError, GateError, ModelMissingError, StudioError
from ltx_studio.events import Cancelled, Event, Failed, Fetching, Finished, Waiting
from ltx_studio.models import ModelFile, Store
from ltx_studio.models.hub_cache import PARTIAL
from ltx_studio.models.remove import removals, remove
from ltx_studio.models.verify import verify
from tests.shop import SIZE, Shop

SOON = Patience(tries=3, first=0.01, longest=0.02)


def ensure(shop: Shop, *files: ModelFile, token: str | None = None) -> list[Event]:
    return list(ensure_models(files, shop.store(token), patience=SOON))


def failure(events: list[Event]) -> StudioError:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1].error


def partials(shop: Shop) -> list[Path]:
    assert shop.settings.hub_cache is not None
    return list(shop.settings.hub_cache.rglob("*.incomplete"))


def blobs(shop: Shop) -> list[Path]:
    assert shop.settings.hub_cache is not None
    return [path for path in shop.settings.hub_cache.glob("models--*/blobs/*") if not path.name.endswith("incomplete")]


def is_linked(shop: Shop, file: ModelFile) -> bool:
    path = shop.store().path(file)
    return path.is_symlink() and path.read_bytes() == shop.contents(file)


def test_a_missing_file_is_fetched_into_the_cache_and_linked(shop: Shop) -> None:
    file = shop.add("a.safetensors")

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_linked(shop, file)
    assert shop.cached(file).read_bytes() == shop.contents(file)
    assert shop.cached(file).resolve() == shop.store().path(file).resolve()
    assert shop.hub.sent() == SIZE
    assert partials(shop) == []


def test_huggingface_takes_the_result_for_its_own(shop: Shop) -> None:
    """Online too: it asks once, and fetches nothing."""
    from huggingface_hub import hf_hub_download, scan_cache_dir

    file = shop.add("a.safetensors")
    ensure(shop, file)
    gets = shop.hub.count("GET")

    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)

    assert shop.hub.count("GET") == gets
    scanned = scan_cache_dir(shop.settings.hub_cache)
    assert scanned.warnings == []
    assert [repo.repo_id for repo in scanned.repos] == [file.repo]


def test_progress_never_goes_back_and_its_totals_are_the_byte_counts(shop: Shop) -> None:
    shop.hub.fail("a.safetensors", cut=SIZE // 2)
    shop.hub.fail("b.safetensors", flip=100)
    files = [shop.add("a.safetensors"), shop.add("b.safetensors", size=SIZE // 2), shop.add("c.safetensors")]
    ensure(shop, files[2])

    told = [event for event in ensure(shop, *files) if isinstance(event, Fetching)]

    total = SIZE + SIZE // 2 + SIZE
    assert {event.all_size for event in told} == {total}
    assert told[-1].all_done == total
    overall = [event.all_done for event in told]
    assert overall == sorted(overall)
    for file, size in zip(files, (SIZE, SIZE // 2, SIZE), strict=True):
        mine = [event for event in told if event.file == file.key]
        assert {event.size for event in mine} == {size}
        assert [event.done for event in mine] == sorted(event.done for event in mine)
        assert (mine[-1].phase, mine[-1].done) == ("done", size)


def test_what_is_here_costs_no_network(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    ensure(shop, file)
    before = len(shop.hub.requests)

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert len(shop.hub.requests) == before
    assert not any(isinstance(event, Waiting) for event in events)


def test_a_cut_connection_is_resumed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_linked(shop, file)
    assert shop.hub.sent() - SIZE < SIZE * 0.1
    (first, second) = [request for request in shop.hub.requests if request.sent]
    assert (first.range, second.range) == ("", f"bytes={first.sent}-")


def test_a_later_attempt_goes_on_from_what_an_earlier_one_left(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, status=503, times=SOON.tries)
    assert "503" in failure(ensure(shop, file)).message
    assert [path.stat().st_size for path in partials(shop)] == [SIZE // 2]

    ensure(shop, file)

    assert is_linked(shop, file)
    assert shop.hub.sent() - SIZE < SIZE * 0.1


def test_a_server_without_ranges_sends_all_of_it_again_and_the_file_is_right(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, whole=True)

    ensure(shop, file)

    assert is_linked(shop, file)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("at", ["hub", "cdn"])
def test_faults_that_pass_are_sat_out(shop: Shop, status: int, at: str) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, status=status, at=at, times=2)

    events = ensure(shop, file)

    assert isinstance(events[-1], Finished)
    assert is_linked(shop, file)


def test_a_pause_that_the_server_asks_for_is_kept() -> None:
    assert Patience().pause(1, asked=7.0) == 7.0
    assert [Patience().pause(failures, 0) for failures in (1, 2, 3, 9)] == [1, 2, 4, 30]


def test_the_pause_is_told(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, status=429, headers={"Retry-After": "1"})

    told = [event for event in ensure(shop, file) if isinstance(event, Fetching)]

    assert any(event.phase == "retrying" and "429" in event.note and "1 s" in event.note for event in told)


@pytest.mark.parametrize("status", [500, 429])
def test_faults_that_stay_end_with_what_to_do(shop: Shop, status: int) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, status=status, times=99)

    error = failure(ensure(shop, file))

    assert isinstance(error, DownloadError)
    assert str(status) in error.message
    assert "try again" in error.hint
    assert not shop.store().path(file).exists()


def test_a_hub_that_is_not_there_ends_with_what_to_do(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    nowhere = replace(shop.settings, hub_endpoint="http://127.0.0.1:9")

    error = failure(list(ensure_models([file], Store(nowhere), patience=SOON)))

    assert "127.0.0.1:9: Connection refused" in error.message
    assert "Errno" not in error.message
    assert "network" in error.hint


@pytest.mark.parametrize(("gate", "refused", "status"), [("hf_secret", False, "401"), ("", True, "403")])
def test_a_gate_names_the_page_and_the_token(shop: Shop, gate: str, refused: bool, status: str) -> None:
    file = shop.add("a.safetensors")
    shop.hub.repos[file.repo].gate, shop.hub.repos[file.repo].refused = gate, refused

    error = failure(ensure(shop, file))

    assert isinstance(error, GateError)
    assert status in error.message
    assert "HF_TOKEN" in error.hint
    assert f"{shop.hub.url}/{file.repo}" in error.hint
    assert shop.hub.count("GET") == 0
    assert shop.hub.count("HEAD") == 1, "a gate is no fault that passes"


def test_a_token_opens_the_gate_and_does_not_reach_the_cdn(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.repos[file.repo].gate = "hf_secret"

    ensure(shop, file, token="hf_secret")

    assert is_linked(shop, file)
    assert {request.token for request in shop.hub.requests if request.sent} == {""}


@pytest.mark.parametrize(
    ("repo", "path", "said"),
    [("org/small", "gone.safetensors", "no longer has gone.safetensors"), ("org/none", "a.safetensors", "org/none")],
)
def test_what_is_not_there_is_said_at_once(shop: Shop, repo: str, path: str, said: str) -> None:
    shop.add("a.safetensors")
    file = shop.know("lost.safetensors", repo=repo, path=path)

    error = failure(ensure(shop, file))

    assert said in error.message
    assert shop.hub.count("HEAD") == 1


@pytest.mark.parametrize("known", [True, False], ids=["known hash", "hash of the hub"])
def test_a_corrupted_file_is_fetched_again_and_never_linked_as_it_is(shop: Shop, known: bool) -> None:
    file = shop.add("a.safetensors")
    if known:
        digest = shop.hub.put(file.repo, "known.safetensors", shop.contents(file))
        file = shop.know("known.safetensors", repo=file.repo, sha256=digest)
    shop.hub.fail(file.path, flip=SIZE // 3)
    seen = []

    for event in ensure_models([file], shop.store(), patience=SOON):
        seen.append(event)
        path = shop.store().path(file)
        assert not path.exists() or path.read_bytes() == shop.contents(file)

    assert isinstance(seen[-1], Finished)
    assert is_linked(shop, file)
    assert any(isinstance(event, Fetching) and "damaged" in event.note for event in seen)


def test_a_server_that_has_only_corrupted_bytes_is_refused(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, flip=SIZE // 3, times=99)

    error = failure(ensure(shop, file))

    assert "damaged" in error.message
    assert not shop.store().path(file).exists()
    assert (partials(shop), blobs(shop)) == ([], [])


def test_a_server_that_sends_too_few_bytes_is_refused_and_what_came_is_no_file(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, short=SIZE // 4, times=99)

    error = failure(ensure(shop, file))

    assert f"offers {SIZE // 4} bytes, but the file has {SIZE:,}" in error.message
    assert not shop.store().path(file).exists()
    assert blobs(shop) == []
    with pytest.raises(LocalEntryNotFoundError):
        shop.cached(file)


def test_the_page_of_a_captive_portal_is_not_taken_for_the_beginning_of_the_file(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, short=SIZE // 4)

    ensure(shop, file)

    assert is_linked(shop, file)
    assert shop.hub.sent() < 1.3 * SIZE, "what came first is not kept"


@pytest.mark.parametrize("at", [0, SIZE // 2])
def test_a_range_that_ends_early_is_completed(shop: Shop, at: int) -> None:
    file = shop.add("a.safetensors")
    if at:
        shop.hub.fail(file.path, cut=at)
    total = {"Content-Range": f"bytes {at}-{at + 99}/{SIZE}", "Content-Length": "100"}
    shop.hub.fail(file.path, partial=True, short=100, headers=total)

    ensure(shop, file)

    assert is_linked(shop, file)
    assert shop.hub.sent() - SIZE < SIZE * 0.1


def test_a_server_that_stops_sending_is_given_up(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 4)
    empty = {"Content-Range": f"bytes {SIZE // 4}-{SIZE - 1}/{SIZE}", "Content-Length": "0"}
    shop.hub.fail(file.path, short=0, headers=empty, times=99)

    error = failure(ensure(shop, file))

    assert f"only {SIZE // 4:,} of {SIZE:,} bytes" in error.message


def test_a_hub_that_names_gits_hash_does_not_get_round_a_known_sha256(shop: Shop) -> None:
    """A mirror serves other contents of the same size, with their right git hash."""
    file = shop.add("a.safetensors", sha256="0" * 64)
    contents = shop.contents(file)
    name = hashlib.sha1(b"blob %d\0" % SIZE + contents, usedforsecurity=False).hexdigest()
    answer = {**location_of(shop, file), "X-Linked-Etag": f'"{name}"'}
    answer["Location"] = f"{shop.hub.cdn}/{hashlib.sha256(contents).hexdigest()}/a.safetensors"
    shop.hub.fail(file.path, status=302, headers=answer, at="hub", times=99)

    error = failure(ensure(shop, file))
    unpinned = shop.know("b.safetensors", repo=file.repo, path=file.path)

    assert "damaged" in error.message
    assert not shop.store().path(file).exists()
    assert isinstance(ensure(shop, unpinned)[-1], Finished)
    (seen,) = verify([unpinned], shop.store(), lambda file, done: None, contents=True)
    assert (seen.is_good, seen.hashed) == (True, True)


def test_another_size_than_the_known_one_is_refused_before_it_is_fetched(shop: Shop) -> None:
    file = shop.add("a.safetensors", bytes=SIZE - 1)

    error = failure(ensure(shop, file))

    assert f"it has {SIZE:,} bytes, not {SIZE - 1:,}" in error.message
    assert shop.hub.sent() == 0


def test_a_token_of_strange_letters_is_said(shop: Shop) -> None:
    error = failure(ensure(shop, shop.add("a.safetensors"), token="hf_gehéim"))

    assert "HF_TOKEN" in error.hint
    assert "geh" not in f"{error.message}{error.details}"


def test_what_a_server_says_cannot_move_the_cursor(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, headers={"Content-Length": "7\t[/b]x"}, times=99)

    assert failure(ensure(shop, file)).message.isprintable()


def test_another_file_under_the_known_name_is_refused(shop: Shop) -> None:
    file = shop.add("a.safetensors", sha256="0" * 64)

    error = failure(ensure(shop, file))

    assert "different" in error.message
    assert "models.toml" in error.hint
    assert shop.hub.sent() == 0


def test_a_file_that_is_whole_but_no_safetensors_is_refused(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.put(file.repo, file.path, b"PK\x03\x04" + bytes(5000))

    error = failure(ensure(shop, file))

    assert "pickle" in error.message
    assert not shop.store().path(file).exists()


def test_it_is_refused_before_a_byte_is_fetched_when_the_disk_is_too_small(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shop.add("a.safetensors")
    monkeypatch.setattr("ltx_studio.downloads.ensure.free_bytes", lambda folder: SIZE - 1)

    error = failure(ensure(shop, file))

    assert isinstance(error, DiskFullError)
    assert "HF_HUB_CACHE" in error.hint
    assert shop.hub.count("GET") == 0


def test_offline_it_says_so_and_asks_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    here, missing = shop.add("here.safetensors"), shop.add("a.safetensors")
    ensure(shop, here)
    before = len(shop.hub.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    assert isinstance(ensure(shop, here)[-1], Finished)
    error = failure(ensure(shop, here, missing))

    assert "HF_HUB_OFFLINE" in error.message
    assert len(shop.hub.requests) == before


def test_a_stop_keeps_what_came_and_the_next_time_goes_on(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    held = threading.Event()
    shop.hub.fail(file.path, cut=SIZE // 2, wait=held)
    cancel = CancelToken()
    seen = []

    for event in ensure_models([file], shop.store(), cancel, patience=SOON):
        seen.append(event)
        if isinstance(event, Fetching) and event.done >= SIZE // 2:
            cancel.cancel()
    held.set()

    assert isinstance(seen[-1], Cancelled)
    assert not shop.store().path(file).exists()
    assert isinstance(ensure(shop, file)[-1], Finished)
    assert is_linked(shop, file)
    assert shop.hub.sent() - SIZE < SIZE * 0.1


def test_a_dropped_stream_stops_its_threads(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, status=503, times=10_000)
    events: Iterator[Event] = ensure_models([file], shop.store(), patience=Patience(10_000, 0.01, 0.01))
    for event in events:
        if isinstance(event, Fetching) and event.phase == "retrying":
            break
    events.close()  # type: ignore[attr-defined]

    for thread in [thread for thread in threading.enumerate() if thread.name == "models-fetch"]:
        thread.join(10)
        assert not thread.is_alive()


def test_two_at_once_fetch_a_file_once(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    ends: list[Event] = []
    threads = [threading.Thread(target=lambda: ends.append(ensure(shop, file)[-1])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(isinstance(end, Finished) for end in ends)
    assert len(ends) == 3
    assert shop.hub.sent() == SIZE
    assert is_linked(shop, file)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 404, "at": "hub"}, {"flip": 9}], ids=str)
def test_one_file_that_fails_does_not_stop_the_others(shop: Shop, fault: dict[str, Any]) -> None:
    bad, good = shop.add("bad.safetensors"), shop.add("good.safetensors")
    shop.hub.fail(bad.path, times=99, **fault)

    events = ensure(shop, bad, ModelFile("loras", "mine.safetensors"), good)

    assert "bad.safetensors" in failure(events).message or "mine.safetensors" in failure(events).message
    assert is_linked(shop, good)
    failed = {event.file for event in events if isinstance(event, Fetching) and event.phase == "failed"}
    assert failed == {bad.key, "loras/mine.safetensors"}


def test_a_gate_is_said_before_anything_is_fetched(shop: Shop) -> None:
    gated, good = shop.add("gated.safetensors", repo="org/gated"), shop.add("good.safetensors")
    shop.hub.repos["org/gated"].gate = "hf_secret"

    assert isinstance(failure(ensure(shop, gated, good)), GateError)
    assert shop.hub.sent() == 0


def test_several_files_are_fetched_at_once(shop: Shop) -> None:
    files = [shop.add(f"{name}.safetensors") for name in "abc"]
    held = [shop.hub.fail(file.path, cut=SIZE // 2, wait=threading.Event()) for file in files]

    for event in ensure_models(files, shop.store(), patience=SOON):
        if isinstance(event, Fetching) and event.all_done == 3 * (SIZE // 2):
            for fault in held:
                assert fault.wait is not None
                fault.wait.set()

    assert all(is_linked(shop, file) for file in files)


def test_a_full_disk_stops_the_others(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    full, later = shop.add("full.safetensors"), shop.add("later.safetensors")
    appended = fetching._Part.append

    def append(part: Any, block: bytes) -> None:
        if part.have > SIZE // 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        appended(part, block)

    monkeypatch.setattr(fetching._Part, "append", append)

    events = list(ensure_models([full, later], shop.store(), patience=SOON, at_once=1))

    assert isinstance(failure(events), DiskFullError)
    assert shop.hub.sent(later.path) == 0


def test_what_is_half_here_needs_only_the_other_half_of_the_disk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file, here = shop.add("a.safetensors"), shop.add("b.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, status=503, times=SOON.tries)
    ensure(shop, file)
    ensure(shop, here)
    shop.cached(here).unlink()
    monkeypatch.setattr("ltx_studio.downloads.ensure.free_bytes", lambda folder: SIZE // 2)

    assert isinstance(ensure(shop, file, here)[-1], Finished)


def stopped_after(shop: Shop, file: ModelFile, moment: Callable[[Event], bool], patience: Patience) -> float:
    """Seconds from the cancel at `moment` to the end."""
    cancel, began = CancelToken(), 0.0
    for event in ensure_models([file], shop.store(), cancel, patience=patience):
        if moment(event) and not cancel.cancelled:
            cancel.cancel()
            began = time.monotonic()
    assert isinstance(event, Cancelled)
    return time.monotonic() - began


def test_a_stop_acts_while_another_program_holds_the_lock(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))

    with shop.store().cache.lock_if_free(file.repo, digest):
        stopped_after(shop, file, lambda event: isinstance(event, Fetching) and event.phase == "waiting", SOON)


@pytest.mark.parametrize("at", ["hub", "cdn"])
def test_a_stop_acts_in_a_pause(shop: Shop, at: str) -> None:
    """Of ten minutes."""
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, status=503, at=at, times=9)

    def pausing(event: Event) -> bool:
        return "503" in getattr(event, "note", "")

    stopped_after(shop, file, pausing, Patience(5, 600, 600))


def test_a_stop_frees_the_file_at_once_although_the_server_is_silent(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    held = shop.hub.fail(file.path, cut=SIZE // 2, wait=threading.Event())
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))

    stopped_after(shop, file, lambda event: isinstance(event, Fetching) and event.done == SIZE // 2, SOON)
    for thread in [thread for thread in threading.enumerate() if thread.name == "models-fetch"]:
        thread.join(constants.HF_HUB_DOWNLOAD_TIMEOUT / 2)
        assert not thread.is_alive()

    assert held.wait is not None
    assert not held.wait.is_set()
    with shop.store().cache.lock_if_free(file.repo, digest) as is_free:
        assert is_free


def test_a_pause_before_the_sizes_are_known_is_told_too(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, status=429, headers={"RateLimit": '"api";r=0;t=1'}, at="hub")

    notes = [event.note for event in ensure(shop, file) if isinstance(event, Waiting)]

    assert any("a.safetensors" in note and "429" in note and "1 s" in note for note in notes)


def test_no_server_is_obeyed_for_ever() -> None:
    assert _pause({"Retry-After": "86400"}) == _pause({"RateLimit": '"api";r=0;t=86400'}) == 300
    assert _pause({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Range": f"bytes {SIZE // 2}-{SIZE - 1}/{SIZE + 1}"},
        {"Content-Range": f"bytes {SIZE // 2 + 1}-{SIZE - 1}/{SIZE}"},
        {"Content-Range": "lines 1-2/3"},
        {"Content-Range": ""},
    ],
    ids=str,
)
def test_an_answer_that_is_not_what_was_asked_for_is_not_written(shop: Shop, headers: dict[str, str]) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, headers=headers)

    assert isinstance(ensure(shop, file)[-1], Finished)

    assert is_linked(shop, file)
    assert partials(shop) == []


def test_more_bytes_than_the_file_has_are_not_written(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, extra=b"more" * 50_000, times=99)

    assert "more bytes" in failure(ensure(shop, file)).message
    assert [path.stat().st_size <= SIZE for path in partials(shop)] == [True]
    shop.hub.faults.clear()
    assert isinstance(ensure(shop, file)[-1], Finished)
    assert is_linked(shop, file)


def test_a_refusal_of_the_cdn_is_no_gate_and_keeps_signatures_to_itself(shop: Shop, caplog: Any) -> None:
    file = shop.add("a.safetensors")
    answer = {**location_of(shop, file), "Location": f"{shop.hub.cdn}/x/a.safetensors?Signature=SECRET"}
    shop.hub.fail(file.path, status=302, headers=answer, at="hub", times=99)
    shop.hub.fail("Signature=SECRET", status=403, times=99)

    error = failure(ensure(shop, file))

    assert not isinstance(error, GateError)
    assert "127.0.0.1 responds with 403" in error.message
    assert "SECRET" not in f"{error.message} {error.hint} {error.where} {error.details} {caplog.text}"


def location_of(shop: Shop, file: ModelFile) -> dict[str, str]:
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    commit = shop.hub.repos[file.repo].commit
    return {"X-Repo-Commit": commit, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(SIZE)}


def test_an_unknown_repository_is_no_gate(shop: Shop) -> None:
    file = shop.know("a.safetensors", repo="org/typo")

    error = failure(ensure(shop, file))

    assert not isinstance(error, GateError)
    assert "no repository org/typo" in error.message


@pytest.mark.parametrize("endpoint", ["nonsense", "http://[bad", "ftp://127.0.0.1/", "http://x:99999"])
def test_an_endpoint_that_is_no_address_is_said_at_once(shop: Shop, endpoint: str) -> None:
    file = shop.add("a.safetensors")
    patience = Patience(9, 600, 600)

    error = failure(
        list(ensure_models([file], Store(replace(shop.settings, hub_endpoint=endpoint)), patience=patience))
    )

    assert "HF_ENDPOINT" in error.hint


def test_a_password_in_the_endpoint_is_not_shown(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    secret = shop.hub.url.replace("//", "//me:SECRET@")
    shop.hub.repos[file.repo].gate = "hf_x"

    error = failure(list(ensure_models([file], Store(replace(shop.settings, hub_endpoint=secret)), patience=SOON)))

    assert "SECRET" not in f"{error.message} {error.hint} {error.where}"


def test_the_last_few_bytes_too_are_on_disk_as_soon_as_they_came(shop: Shop) -> None:
    """A kill while the server is silent loses nothing."""
    file, few = shop.add("a.safetensors"), 100
    held = shop.hub.fail(file.path, cut=few, wait=threading.Event())
    assert held.wait is not None
    assert shop.settings.hub_cache is not None
    on_disk = []
    for event in ensure_models([file], shop.store(), patience=SOON):
        if isinstance(event, Fetching) and event.done == few and not held.wait.is_set():
            on_disk = [path.stat().st_size for path in shop.settings.hub_cache.rglob(f"*{PARTIAL}")]
            held.wait.set()

    assert on_disk == [few]


def test_a_newer_commit_that_came_meanwhile_stays_the_current_one(shop: Shop) -> None:
    from huggingface_hub import hf_hub_download

    file = shop.add("a.safetensors")
    held = shop.hub.fail(file.path, cut=SIZE // 2, wait=threading.Event())
    assert held.wait is not None
    for event in ensure_models([file], shop.store(), patience=SOON):
        if isinstance(event, Fetching) and event.done == SIZE // 2 and not held.wait.is_set():
            shop.hub.put(file.repo, "config.json", b"{}")
            hf_hub_download(file.repo, "config.json", cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
            held.wait.set()

    newest = hf_hub_download(file.repo, "config.json", cache_dir=shop.settings.hub_cache, local_files_only=True)
    assert Path(newest).read_bytes() == b"{}"
    assert is_linked(shop, file)


@pytest.mark.parametrize("reference", [b"\xff\xfe", b"", b"../../..", b"0" * 40], ids=str)
def test_a_broken_reference_is_written_anew(shop: Shop, reference: bytes) -> None:
    file = shop.add("a.safetensors")
    ref = shop.store().cache.repo_dir(file.repo) / "refs" / "main"
    ref.parent.mkdir(parents=True)
    ref.write_bytes(reference)

    ensure(shop, file)

    assert is_linked(shop, file)
    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_a_cache_without_links_holds_the_file_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on exFAT; the studio's own folder may have links."""
    file = shop.add("a.safetensors")
    symlink, cache = os.symlink, str(shop.settings.hub_cache)

    def refuse(source: Any, target: Any, *rest: Any) -> None:
        if str(target).startswith(cache):
            raise PermissionError(errno.EPERM, "Operation not permitted")
        symlink(source, target, *rest)

    monkeypatch.setattr(os, "symlink", refuse)

    assert isinstance(ensure(shop, file)[-1], Finished)
    assert is_linked(shop, file)
    assert not shop.cached(file).is_symlink()
    requests = len(shop.hub.requests)
    assert isinstance(ensure(shop, file)[-1], Finished)
    assert len(shop.hub.requests) == requests
    assert remove(removals([file], shop.store())[0], shop.store()).freed == SIZE


def test_a_relative_cache_is_made_absolute(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.add("a.safetensors")
    monkeypatch.chdir(tmp_path)
    settings = replace(shop.settings, hub_cache=Path("relative"))

    *_, end = ensure_models([file], Store(settings), patience=SOON)

    assert isinstance(end, Finished)
    monkeypatch.chdir("/")
    assert Store(settings).path(file).read_bytes() == shop.contents(file)


def test_writers_that_no_lock_keeps_apart_make_no_file(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems grant every lock to everybody."""
    file = shop.add("a.safetensors")
    appended = fetching._Part.append

    def append(part: Any, block: bytes) -> None:
        appended(part, block)
        if part.have == SIZE and len(meddled) < 1:
            meddled.append(True)
            (partial,) = partials(shop)
            with partial.open("ab") as other:
                other.write(b"of another writer")

    meddled: list[bool] = []
    monkeypatch.setattr(fetching._Part, "append", append)

    ensure(shop, file)

    assert meddled
    assert is_linked(shop, file)


def test_dropped_lines_do_not_make_what_is_here_be_read_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.add("a.safetensors")
    for share in (0.2, 0.2, 0.2):
        shop.hub.fail(file.path, cut=int(SIZE * share))
    reads: list[Path] = []
    original = fetching._Part.read

    def read(part: Any, path: Path, check: Any) -> None:
        reads.append(path)
        original(part, path, check)

    monkeypatch.setattr(fetching._Part, "read", read)

    ensure(shop, file)

    assert is_linked(shop, file)
    assert len(reads) == 1


def test_what_other_tools_left_of_the_same_blob_is_cleaned(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    orphan = shop.store().cache.blob(file.repo, digest).with_name(f"{digest}.1a2b3c4d.incomplete")
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"half")

    ensure(shop, file)

    assert not orphan.exists()
    assert is_linked(shop, file)


def test_a_damaged_partial_is_found_by_its_hash(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    partial = shop.store().cache.partial(file.repo, digest)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(SIZE // 2))

    ensure(shop, file)

    assert partial.name.endswith(PARTIAL)
    assert is_linked(shop, file)


def test_a_partial_that_is_too_long_begins_anew(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    partial = shop.store().cache.partial(file.repo, digest)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(SIZE + 1))

    ensure(shop, file)

    assert is_linked(shop, file)
    assert shop.hub.sent() == SIZE


def test_a_blob_that_the_cache_has_already_is_only_linked(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    blob = shop.store().cache.blob(file.repo, digest)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(shop.contents(file))

    ensure(shop, file)

    assert is_linked(shop, file)
    assert shop.hub.sent() == 0


def test_a_file_without_a_source_is_named(shop: Shop) -> None:
    error = failure(ensure(shop, ModelFile("loras", "mine.safetensors")))

    assert isinstance(error, ModelMissingError)
    assert "mine.safetensors" in error.message
    assert "models.toml" in error.hint


@pytest.mark.parametrize("header", ["../../evil", "x", "", "A" * 64])
def test_an_answer_whose_etag_is_no_hash_is_refused(shop: Shop, header: str) -> None:
    file = shop.add("a.safetensors")
    answer = {
        "X-Repo-Commit": "1" * 40,
        "X-Linked-Etag": f'"{header}"',
        "X-Linked-Size": "10",
        "Location": shop.hub.cdn,
    }
    shop.hub.fail(file.path, status=302, headers=answer, at="hub")

    error = failure(ensure(shop, file))

    assert "does not answer like a Hugging Face hub" in error.message
    assert "HF_ENDPOINT" in error.hint


@pytest.mark.parametrize("late", [0.0, 0.3], ids=["the old answer is the first", "the old answer is the last"])
def test_files_of_one_repository_are_of_one_commit(shop: Shop, late: float) -> None:
    """The hub gets a new commit between the two questions."""
    first, second = shop.add("a.safetensors"), shop.add("b.safetensors")
    old = location_of(shop, first) | {"Location": f"{shop.hub.cdn}/x"}
    shop.hub.put(first.repo, "README.md", b"new")
    shop.hub.fail(first.path, status=302, headers=old, at="hub", method="HEAD", late=late)

    assert isinstance(list(ensure_models([first, second], shop.store(), patience=SOON))[-1], Finished)

    for file in (first, second):
        assert shop.cached(file).read_bytes() == shop.contents(file)
        assert is_linked(shop, file)


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://127.0.0.1:99999", "http://"])
def test_an_endpoint_that_huggingface_stumbles_over_is_said(shop: Shop, endpoint: str) -> None:
    shop.add("a.safetensors")
    command = [sys.executable, "-m", "ltx_studio", "models", "get", "a.safetensors"]

    environment = shop.environment(HF_ENDPOINT=endpoint)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "HF_ENDPOINT" in done.stderr
    assert "unexpected" not in done.stderr


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_in_the_middle_is_a_failure(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        """What a library in Rust raises when it panics."""

    def panic(*_: object) -> None:
        raise Panic

    file = shop.add("a.safetensors")
    monkeypatch.setattr(fetching.Fetch, "run", panic)

    error = failure(ensure(shop, file))

    assert error.message == "The download of a.safetensors ended early."
