"""Plan, verify, remove, clean: what is said before, and what is left of others' files."""

import errno
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from huggingface_hub import hf_hub_download

from ltx_studio.downloads import ensure_models
from ltx_studio.downloads.file_download import Patience
from ltx_studio.events import Failed, Finished
from ltx_studio.models import ModelFile, Store, make_plan
from ltx_studio.models.files import identity
from ltx_studio.models.plan import free_bytes
from ltx_studio.models.remove import clean, left_overs, removals, remove
from ltx_studio.models.verify import Verdict, verify
from tests.hub import safetensors
from tests.shop import SIZE, Shop

SOON = Patience(tries=2, first=0.01, longest=0.01)


def fetch(shop: Shop, *files: ModelFile) -> None:
    assert isinstance(list(ensure_models(files, shop.store(), patience=SOON))[-1], Finished)


def verdicts(store: Store, *files: ModelFile, contents: bool = False) -> list[Verdict]:
    return list(verify(files, store, lambda file, done: None, contents=contents))


def spoil(path: Path) -> None:
    """Change one byte, keep the size."""
    path = path.resolve()
    contents = bytearray(path.read_bytes())
    contents[-10] ^= 255
    path.write_bytes(contents)


def test_a_plan_counts_what_is_here_what_is_missing_and_what_is_half_here(shop: Shop) -> None:
    here, half = shop.add("here.safetensors"), shop.add("half.safetensors", bytes=SIZE)
    unknown = shop.add("unknown.safetensors", about=1000, gated=True, licence="Mine")
    fetch(shop, here)
    shop.hub.fail(half.path, cut=SIZE // 2)
    shop.hub.fail(half.path, status=500, times=9)
    list(ensure_models([half], shop.store(), patience=SOON))
    asked = len(shop.hub.requests)

    plan = make_plan([here, half, unknown], shop.store())

    assert len(shop.hub.requests) == asked, "a plan asks no network"
    assert (plan.total_bytes, plan.present_bytes) == (2 * SIZE + 1000, SIZE + SIZE // 2)
    assert plan.missing_bytes == SIZE // 2 + 1000
    assert plan.fits
    shown = plan.as_dict()
    assert shown["free_bytes"] == pytest.approx(free_bytes(shop.settings.home), rel=0.1)
    assert [(file["present"], file["bytes"]) for file in shown["files"]] == [(True, SIZE), (False, SIZE), (False, 1000)]
    assert {"name", "repo", "bytes", "present", "gated", "licence"} <= set(shown["files"][2])
    assert (shown["files"][2]["gated"], shown["files"][2]["licence"]) == (True, "Mine")


def test_a_plan_that_does_not_fit_says_no(shop: Shop) -> None:
    huge = shop.add("huge.safetensors", bytes=10**15)

    assert make_plan([huge], shop.store()).fits is False


def test_sizes_are_always_looked_at_and_contents_when_asked(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    assert [verdict.flaw for verdict in verdicts(shop.store(), file, contents=True)] == [""]

    spoil(shop.store().path(file))

    assert [verdict.is_good for verdict in verdicts(shop.store(), file)] == [True]
    (seen,) = verdicts(shop.store(), file, contents=True)
    assert "has the wrong contents" in seen.flaw
    assert seen.hashed


def test_a_damaged_file_of_the_cache_is_repaired(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    spoil(shop.store().path(file))
    (seen,) = verdicts(shop.store(), file, contents=True)
    assert seen.path is not None

    list(ensure_models([file], shop.store(), patience=SOON, distrust={identity(seen.path)}))

    assert shop.store().path(file).read_bytes() == shop.contents(file)
    assert shop.hub.sent() == 2 * SIZE
    assert [verdict.flaw for verdict in verdicts(shop.store(), file, contents=True)] == [""]


def test_a_cut_off_blob_is_repaired(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    blob = shop.store().path(file).resolve()
    os.truncate(blob, SIZE // 2)
    (seen,) = verdicts(shop.store(), file)
    assert "bytes" in seen.flaw

    fetch(shop, file)

    assert shop.store().path(file).read_bytes() == shop.contents(file)


def test_a_damaged_file_of_the_users_is_left_and_a_whole_one_is_fetched_beside_it(shop: Shop, tmp_path: Path) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    file = replace(file, sha256=digest)
    theirs = tmp_path / "theirs" / "loras" / "a.safetensors"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(shop.contents(file))
    spoil(theirs)
    spoilt = theirs.read_bytes()
    store = Store(replace(shop.settings, model_dirs=(tmp_path / "theirs",)))
    (seen,) = verdicts(store, file, contents=True)
    assert (seen.path, seen.is_good) == (theirs, False)

    list(ensure_models([file], store, patience=SOON, distrust={identity(theirs)}))

    assert store.path(file).read_bytes() == shop.contents(file)
    assert theirs.read_bytes() == spoilt


def test_a_damaged_file_in_the_studios_folder_is_moved_aside_and_none_that_was_moved_before_is_lost(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    own = shop.store().path(file)
    own.parent.mkdir(parents=True)
    own.with_name("a.safetensors.damaged").write_bytes(b"older")
    own.write_bytes(shop.contents(file)[:1000])
    assert isinstance(list(ensure_models([file], shop.store(), patience=SOON))[-1], Failed), "in the way"
    assert own.stat().st_size == 1000

    list(ensure_models([file], shop.store(), patience=SOON, repair=True))

    assert own.read_bytes() == shop.contents(file)
    kept = {path.name: path.stat().st_size for path in own.parent.glob("*.damaged*")}
    assert kept == {"a.safetensors.damaged": 5, "a.safetensors.damaged1": 1000}


def test_a_damaged_file_stays_where_it_is_when_no_whole_one_can_be_had(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    own = shop.store().path(file)
    own.parent.mkdir(parents=True)
    own.write_bytes(shop.contents(file)[:1000])
    shop.hub.fail(file.path, status=404, at="hub")

    list(ensure_models([file], shop.store(), patience=SOON, repair=True))

    assert own.stat().st_size == 1000


def test_a_folder_of_another_programs_is_not_tidied_up(shop: Shop, tmp_path: Path) -> None:
    file = shop.add("a.safetensors")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "a.safetensors").write_bytes(b"half")
    shop.settings.models_dir.mkdir(parents=True, exist_ok=True)
    (shop.settings.models_dir / "loras").symlink_to(theirs)

    *_, end = ensure_models([file], shop.store(), patience=SOON, repair=True)

    assert isinstance(end, Failed)
    assert "in the way" in end.error.message
    assert (theirs / "a.safetensors").read_bytes() == b"half"


def test_the_contents_of_every_copy_are_looked_at_until_one_is_good(shop: Shop, tmp_path: Path) -> None:
    file = shop.add("a.safetensors")
    digest = shop.hub.put(file.repo, file.path, shop.contents(file))
    file = replace(file, sha256=digest)
    copies = [tmp_path / name / "loras" / "a.safetensors" for name in ("one", "two")]
    for copy in copies:
        copy.parent.mkdir(parents=True)
        copy.write_bytes(shop.contents(file))
        spoil(copy)
    store = Store(replace(shop.settings, model_dirs=(tmp_path / "one", tmp_path / "two")))

    seen = verdicts(store, file, contents=True)
    list(ensure_models([file], store, patience=SOON, distrust={identity(copy) for copy in copies}))

    assert [(verdict.path, verdict.is_good) for verdict in seen] == [(copy, False) for copy in copies]
    assert store.path(file).read_bytes() == shop.contents(file)


def test_removing_frees_what_was_fetched(shop: Shop) -> None:
    file, other = shop.add("a.safetensors"), shop.add("b.safetensors")
    fetch(shop, file, other)
    blob = shop.store().path(file).resolve()

    (planned,) = removals([file], shop.store())
    assert (planned.freed, planned.kept) == (SIZE, "")
    assert blob.exists(), "looking deletes nothing"
    remove(planned, shop.store())

    assert not blob.exists()
    assert not os.path.lexists(shop.store().path(file))
    assert shop.store().find(file) is None
    assert shop.cached(other).read_bytes() == shop.contents(other)


def test_what_another_tool_fetched_is_not_removed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    fetch(shop, file)

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())

    assert "not downloaded by this studio" in planned.kept
    assert planned.freed == 0
    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_what_another_tool_has_before_our_link_is_not_removed(shop: Shop) -> None:
    """The blob was there, the pointer was not."""
    file = shop.add("a.safetensors")
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    shop.cached(file).unlink()
    fetch(shop, file)

    remove(removals([file], shop.store())[0], shop.store())

    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_a_blob_that_another_revision_uses_is_not_removed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    shop.hub.put(file.repo, "README.md", b"new")
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())

    assert "another revision" in planned.kept
    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_a_file_that_the_user_put_into_the_studio_is_not_removed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    own = shop.store().path(file)
    own.parent.mkdir(parents=True)
    own.write_bytes(safetensors(2000))

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())

    assert own.exists()
    assert "not downloaded by this studio" in planned.kept


def test_an_interrupted_fetch_is_removed_with_its_bytes(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, status=500, times=9)
    list(ensure_models([file], shop.store(), patience=SOON))

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())

    assert planned.freed == SIZE // 2
    assert left_overs(shop.store()) == []


def test_left_overs_are_found_but_not_those_that_somebody_is_writing_nor_in_unknown_repositories(shop: Shop) -> None:
    shop.add("a.safetensors")
    hub = shop.store().cache
    ours, theirs = "a" * 64, "b" * 64
    for name in (f"{ours}.ltx-studio.incomplete", f"{theirs}.1a2b3c4d.incomplete", f"{'c' * 64}.0.incomplete"):
        path = hub.blob("org/small", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    unknown = hub.blob("some/thing-else", f"{ours}.1.incomplete")
    unknown.parent.mkdir(parents=True)
    unknown.write_bytes(b"half")
    lock = hub.folder / ".locks" / "models--org--small" / f"{theirs}.lock"
    lock.parent.mkdir(parents=True)

    with FileLock(lock):
        found = {item.path.name for item in left_overs(shop.store())}

    assert found == {f"{ours}.ltx-studio.incomplete", f"{'c' * 64}.0.incomplete"}


def test_what_another_tool_has_fetched_again_since_is_not_removed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    shutil.rmtree(shop.store().cache.repo_dir(file.repo))
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())

    assert (planned.freed, planned.kept) == (0, "was not downloaded by this studio")
    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_the_same_file_in_another_cache_is_not_removed(shop: Shop, tmp_path: Path) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    teams = replace(shop, settings=replace(shop.settings, hub_cache=tmp_path / "team"))
    hf_hub_download(file.repo, file.path, cache_dir=tmp_path / "team", endpoint=shop.hub.url)

    remove(removals([file], teams.store())[0], teams.store())

    assert teams.cached(file).read_bytes() == shop.contents(file)
    assert removals([file], shop.store())[0].freed == SIZE


def test_another_revision_is_seen_through_a_roundabout_path(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    shop = replace(shop, settings=replace(shop.settings, hub_cache=tmp_path / "x" / ".." / "cache"))
    file = shop.add("a.safetensors")
    fetch(shop, file)
    shop.hub.put(file.repo, "README.md", b"new")
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)

    remove(removals([file], shop.store())[0], shop.store())

    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_a_second_name_of_the_same_file_keeps_it(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    twin = shop.know("twin.safetensors", repo=file.repo, path=file.path)
    fetch(shop, file, twin)

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())
    assert planned.kept == "is the same file as loras/twin.safetensors"
    assert shop.store().find(twin) is not None
    both = [remove(item, shop.store()) for item in removals([file, twin], shop.store())]
    assert sum(item.freed for item in both) == SIZE
    assert shop.store().find(twin) is None


def test_both_versions_that_were_fetched_are_removed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    digest = shop.hub.put(file.repo, file.path, safetensors(SIZE, seed=77))
    fetch(shop, replace(file, sha256=digest))

    (planned,) = removals([file], shop.store())
    done = remove(planned, shop.store())

    assert (planned.freed, done.freed, done.kept) == (2 * SIZE, 2 * SIZE, "")
    assert list(shop.store().cache.repo_dir(file.repo).glob("blobs/*")) == []


def test_files_are_removable_after_several_have_fetched_them_at_once(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    threads = [threading.Thread(target=fetch, args=(shop, file)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert removals([file], shop.store())[0].freed == SIZE


def test_another_users_file_is_not_removed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    monkeypatch.setattr("ltx_studio.models.remove.os.getuid", lambda: 4321)

    remove(removals([file], shop.store())[0], shop.store())

    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_a_users_own_link_is_not_removed(shop: Shop, tmp_path: Path) -> None:
    file = shop.add("a.safetensors")
    theirs = tmp_path / "somewhere.safetensors"
    theirs.write_bytes(safetensors(2000))
    link = shop.store().path(file)
    link.parent.mkdir(parents=True)
    link.symlink_to(theirs)

    remove(removals([file], shop.store())[0], shop.store())
    assert link.exists()
    theirs.rename(tmp_path / "off")
    assert shop.store().refresh().removed == ()
    assert link.is_symlink()


def test_what_is_being_fetched_is_not_removed_nor_cleaned(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, status=500, times=9)
    list(ensure_models([file], shop.store(), patience=SOON))
    (planned,), (left,) = removals([file], shop.store()), left_overs(shop.store())

    with shop.store().cache.lock_if_free(left.repo, left.etag) as is_free:
        assert is_free
        done = remove(planned, shop.store())
        assert (done.freed, done.kept) == (0, "is being downloaded")
        assert clean(left, shop.store()) == 0

    assert left.path.stat().st_size == SIZE // 2
    assert clean(left, shop.store()) == SIZE // 2


def test_a_file_of_unknown_size_counts_for_nothing_and_is_counted(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    shop.hub.fail(file.path, cut=SIZE // 2)
    shop.hub.fail(file.path, status=500, times=9)
    list(ensure_models([file], shop.store(), patience=SOON))

    plan = make_plan([file], shop.store())

    assert (plan.missing_bytes, plan.present_bytes, plan.total_bytes, plan.of_unknown_size) == (0, 0, 0, 1)
    assert plan.files[0].partial == SIZE // 2


def test_a_partial_is_known_by_the_hash_of_the_registry_too(shop: Shop) -> None:
    file = shop.add("a.safetensors", bytes=SIZE, sha256="a" * 64)
    partial = shop.store().cache.partial(file.repo, file.sha256)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(1000))

    assert make_plan([file], shop.store()).missing_bytes == SIZE - 1000


def test_a_repair_of_what_another_tool_fetched_does_not_make_it_ours(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    spoil(shop.cached(file))

    list(ensure_models([file], shop.store(), patience=SOON, distrust={identity(shop.cached(file))}))
    assert shop.cached(file).read_bytes() == shop.contents(file)
    remove(removals([file], shop.store())[0], shop.store())

    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_a_repair_that_fails_leaves_what_was_there(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    spoil(shop.cached(file))
    spoilt = shop.cached(file).read_bytes()
    shop.hub.fail(file.path, status=404, times=9)

    list(ensure_models([file], shop.store(), patience=SOON, distrust={identity(shop.cached(file))}))

    assert shop.cached(file).read_bytes() == spoilt


def test_a_file_under_another_reference_is_not_removed(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    refs = shop.store().cache.repo_dir(file.repo) / "refs"
    (refs / "v1.0").write_text(shop.hub.repos[file.repo].commit)

    (planned,) = removals([file], shop.store())
    remove(planned, shop.store())

    assert "another revision" in planned.kept
    assert shop.cached(file).read_bytes() == shop.contents(file)


def test_nothing_is_removed_through_a_link_that_leads_out(shop: Shop, tmp_path: Path) -> None:
    file = shop.know("sub/a.safetensors", repo="org/small")
    outside = tmp_path / "outside"
    outside.mkdir()
    theirs = outside / "a.safetensors"
    theirs.symlink_to(shop.store().cache.folder / "anything")
    (shop.settings.models_dir / "loras").mkdir(parents=True, exist_ok=True)
    (shop.settings.models_dir / "loras" / "sub").symlink_to(outside)

    remove(removals([file], shop.store())[0], shop.store())
    shop.store().refresh()

    assert theirs.is_symlink()


def test_no_pointer_is_written_through_a_link_that_leads_out_of_the_cache(shop: Shop, tmp_path: Path) -> None:
    shop.add("sub/a.safetensors")
    file = shop.know("b.safetensors", repo="org/small", path="sub/a.safetensors")
    outside = tmp_path / "outside"
    outside.mkdir()
    hub, commit = shop.store().cache, shop.hub.repos[file.repo].commit
    (hub.repo_dir(file.repo) / "snapshots" / commit).mkdir(parents=True)
    (hub.repo_dir(file.repo) / "snapshots" / commit / "sub").symlink_to(outside)

    *_, end = ensure_models([file], shop.store(), patience=SOON)

    assert isinstance(end, Failed)
    assert "leads out" in end.error.message
    assert list(outside.iterdir()) == []


def test_a_ledger_of_a_newer_studio_and_a_broken_one_can_be_read(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    ledger = shop.settings.models_dir / "fetched.json"
    ledger.write_text(ledger.read_text().replace('"repo"', '"colour": "red", "repo"'))
    assert removals([file], shop.store())[0].freed == SIZE

    ledger.write_text("{")
    assert "not downloaded" in removals([file], shop.store())[0].kept


def test_what_cannot_be_deleted_is_said_and_stays_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    (planned,) = removals([file], shop.store())
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: refused(path))

    done = remove(replace(planned, link=False), shop.store())

    assert (done.freed, done.kept) == (0, "cannot be deleted: Read-only file system")
    assert shop.cached(file).read_bytes() == shop.contents(file)


def refused(path: Path) -> None:
    raise OSError(errno.EROFS, "Read-only file system", str(path))


def test_what_has_changed_hands_since_it_was_looked_at_is_not_removed(shop: Shop) -> None:
    """While a question is answered, another tool fetches it again, or a newer revision; the user puts a file there."""
    first, second, third = (shop.add(f"{name}.safetensors", repo=f"org/{name}") for name in "abc")
    fetch(shop, first, second, third)
    planned = removals([first, second, third], shop.store())
    shutil.rmtree(shop.store().cache.repo_dir(first.repo))
    shop.hub.put(second.repo, "README.md", b"new")
    for file in (first, second):
        hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    own = shop.store().path(third)
    own.unlink()
    own.write_bytes(b"the user's")

    done = [remove(item, shop.store()) for item in planned]

    assert [item.freed for item in done] == [0, 0, SIZE]
    assert shop.cached(first).read_bytes() == shop.contents(first)
    assert shop.cached(second).read_bytes() == shop.contents(second)
    assert own.read_bytes() == b"the user's"


def test_a_repair_of_what_is_ours_leaves_it_ours(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    spoil(shop.cached(file))

    list(ensure_models([file], shop.store(), patience=SOON, distrust={identity(shop.cached(file))}))

    assert removals([file], shop.store())[0].freed == SIZE


def test_a_cache_behind_a_link_is_the_same_cache(shop: Shop, tmp_path: Path) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    (tmp_path / "link").symlink_to(tmp_path / "cache")
    linked = replace(shop, settings=replace(shop.settings, hub_cache=tmp_path / "link"))

    assert removals([file], linked.store())[0].freed == SIZE


@pytest.mark.parametrize(
    "text", ["{", '{"a": 1}', "[1]", "[" * 100_000, '[{"repo": 1}]', ""], ids=lambda text: text[:9]
)
def test_a_ledger_that_cannot_be_read_counts_as_empty(shop: Shop, text: str) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    (shop.settings.models_dir / "fetched.json").write_text(text)

    assert "not downloaded" in removals([file], shop.store())[0].kept
    assert make_plan([file], shop.store()).missing == ()


def test_a_folder_that_cannot_be_read_keeps_its_blobs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    monkeypatch.setattr("ltx_studio.models.remove.os.access", lambda path, how: False)

    assert "may be used by another revision" in removals([file], shop.store())[0].kept


def test_scratch_files_of_references_are_no_references(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    refs = shop.store().cache.repo_dir(file.repo) / "refs"
    (refs / "main.1a2b3c4d.tmp").write_text(shop.hub.repos[file.repo].commit)

    assert removals([file], shop.store())[0].freed == SIZE


def test_a_directory_in_the_way_of_a_good_copy_is_seen_and_moved_aside(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    fetch(shop, file)
    own = shop.store().path(file)
    own.unlink()
    (own / "inside").mkdir(parents=True)

    seen = verdicts(shop.store(), file)
    list(ensure_models([file], shop.store(), patience=SOON, repair=True))

    assert [(verdict.flaw, verdict.is_good) for verdict in seen] == [("is not a file", False), ("", True)]
    assert own.read_bytes() == shop.contents(file)
    assert (own.with_name("a.safetensors.damaged") / "inside").is_dir()
