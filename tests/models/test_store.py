"""Where files are found, which copy is believed, and the links by which ComfyUI finds them."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download

from ltx_studio.advice import Advice, Do
from ltx_studio.downloads import ensure_models
from ltx_studio.errors import ModelMissingError, RequestError, SetupError
from ltx_studio.events import Failed
from ltx_studio.models import ModelFile, Store
from ltx_studio.models.store import Origin
from ltx_studio.models.verify import verify
from ltx_studio.settings import Settings
from tests.hub import safetensors
from tests.shop import SIZE, Shop

LORA = ModelFile("loras", "mine.safetensors", size=2000, exact=True)
ENCODER = ModelFile("text_encoders", "enc.safetensors")
FETCH = Advice(Do.FETCH_MODELS, otherwise=Do.USE_POCKET)


def graph(name: str) -> dict[str, dict[str, object]]:
    return {"1": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": name}}}


def put(path: Path, contents: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Settings(home=tmp_path / "home", hub_cache=tmp_path / "cache"))


def with_dirs(store: Store, *dirs: Path) -> Store:
    return Store(replace(store.settings, model_dirs=dirs))


@pytest.mark.parametrize(
    "where",
    ["models/loras/mine.safetensors", "loras/mine.safetensors", "mine.safetensors", "models/mine.safetensors"],
)
def test_a_file_in_a_folder_of_the_users_is_found_and_linked(store: Store, tmp_path: Path, where: str) -> None:
    theirs = put(tmp_path / "theirs" / where, safetensors(2000))
    store = with_dirs(store, tmp_path / "theirs")

    found = store.find(LORA)

    assert found is not None
    assert (found.path, found.origin, found.size) == (theirs, Origin.FOLDER, 2000)
    link = store.link(LORA, found)
    assert link == store.settings.models_dir / "loras" / "mine.safetensors"
    assert link.is_symlink()
    assert link.resolve() == theirs


def test_folders_by_their_old_names_are_found(store: Store, tmp_path: Path) -> None:
    put(tmp_path / "theirs" / "models" / "clip" / "enc.safetensors", safetensors(2000))

    assert with_dirs(store, tmp_path / "theirs").find(ENCODER) is not None


@pytest.mark.parametrize("named", ["the ComfyUI", "the file"])
def test_extra_model_paths_are_read_as_comfyui_reads_them(store: Store, tmp_path: Path, named: str) -> None:
    comfy, disk = tmp_path / "comfy", tmp_path / "disk"
    paths = put(
        comfy / "extra_model_paths.yaml",
        f"a:\n  base_path: {disk}\n  is_default: true\n  text_encoders: |\n    te/\n    clip/\n"
        "b:\n  loras: ../beside/loras\nempty:\n".encode(),
    )
    encoder = put(disk / "clip" / "enc.safetensors", safetensors(2000))
    lora = put(tmp_path / "beside" / "loras" / "mine.safetensors", safetensors(2000))
    store = with_dirs(store, paths if named == "the file" else comfy)

    found = store.find(ENCODER), store.find(LORA)

    assert [item.path.resolve() if item else None for item in found] == [encoder, lora]


@pytest.mark.parametrize(
    "text",
    [
        *("a: [", "just text", "a: 3", "a:\n  loras: 3", "\x00", "a: 2020-13-45", "a: !!float y", "[" * 3000),
        *(
            "a:\n  base_path: ~nobodyatall/x\n  loras: y",
            "a:\n  loras: " + "x" * 9000,
            "a: !!python/object:os.system x",
        ),
    ],
    ids=lambda text: text[:20],
)
def test_a_broken_paths_file_is_passed_over(store: Store, tmp_path: Path, text: str) -> None:
    put(tmp_path / "comfy" / "extra_model_paths.yaml", text.encode())

    assert with_dirs(store, tmp_path / "comfy").find(LORA) is None


@pytest.mark.parametrize(
    "contents",
    [safetensors(2000)[:-1], safetensors(2000) + b"x", safetensors(1999), b"", b"PK\x03\x04" * 500, bytes(2000)],
    ids=["short", "long", "another size", "empty", "a pickle", "zeros"],
)
def test_a_copy_that_is_not_whole_does_not_count(store: Store, tmp_path: Path, contents: bytes) -> None:
    put(tmp_path / "theirs" / "loras" / "mine.safetensors", contents)
    store = with_dirs(store, tmp_path / "theirs")

    assert store.find(LORA) is None
    assert len(store.flawed(LORA)) == 1


def test_a_whole_copy_is_found_behind_a_broken_one(store: Store, tmp_path: Path) -> None:
    put(tmp_path / "one" / "loras" / "mine.safetensors", safetensors(2000)[:500])
    good = put(tmp_path / "two" / "loras" / "mine.safetensors", safetensors(2000))

    found = with_dirs(store, tmp_path / "one", tmp_path / "two").find(LORA)

    assert found is not None
    assert found.path == good


def test_a_file_in_the_studios_own_folder_stays_as_it_is(store: Store) -> None:
    own = put(store.path(LORA), safetensors(2000))

    found = store.find(LORA)

    assert found is not None
    assert (found.path, found.origin) == (own, Origin.STUDIO)
    assert store.link(LORA, found) == own
    assert not own.is_symlink()


def test_a_broken_file_in_the_studios_folder_is_in_the_way_and_said(store: Store, tmp_path: Path) -> None:
    put(store.path(LORA), safetensors(2000)[:500])
    put(tmp_path / "theirs" / "loras" / "mine.safetensors", safetensors(2000))
    store = with_dirs(store, tmp_path / "theirs")
    found = store.find(LORA)
    assert found is not None

    with pytest.raises(RequestError, match="in the way: it has 500 of 2,000 bytes") as caught:
        store.link(LORA, found)
    assert caught.value.advice == Advice.to(Do.MOVE_ASIDE)


def test_a_link_within_the_models_folder_that_leads_out_is_not_followed(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (store.settings.models_dir / "loras").mkdir(parents=True)
    (store.settings.models_dir / "loras" / "sub").symlink_to(outside)
    file = ModelFile("loras", "sub/mine.safetensors")
    put(tmp_path / "theirs" / "loras" / "sub" / "mine.safetensors", safetensors(2000))
    store = with_dirs(store, tmp_path / "theirs")
    found = store.find(file)
    assert found is not None

    with pytest.raises(RequestError, match="leave the models folder"):
        store.link(file, found)
    assert list(outside.iterdir()) == []


def test_a_models_folder_on_another_disk_is_fine(store: Store, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.mkdir()
    store.settings.models_dir.mkdir(parents=True)
    (store.settings.models_dir / "loras").symlink_to(big)
    put(tmp_path / "theirs" / "loras" / "mine.safetensors", safetensors(2000))
    store = with_dirs(store, tmp_path / "theirs")
    found = store.find(LORA)
    assert found is not None

    store.link(LORA, found)

    assert (big / "mine.safetensors").is_symlink()


def test_links_are_right_after_the_hub_has_a_new_commit(shop: Shop) -> None:
    """Huggingface's own tool fetches the new revision; the old one is then deleted."""
    file = shop.add("a.safetensors")
    list(ensure_models([file], shop.store()))
    old = shop.cached(file).parent
    shop.hub.put(file.repo, file.path, safetensors(SIZE, seed=99))
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)

    assert shop.store().refresh().mended == (file.key,)
    assert shop.store().path(file).read_bytes() == shop.contents(file)
    shutil.rmtree(old)
    assert shop.store().path(file).read_bytes() == shop.contents(file)
    assert shop.store().refresh().mended == ()


def test_links_are_right_after_a_commit_that_left_the_file_as_it_was(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    list(ensure_models([file], shop.store()))
    old = shop.cached(file).parent
    shop.hub.put(file.repo, "README.md", b"new")
    hf_hub_download(file.repo, file.path, cache_dir=shop.settings.hub_cache, endpoint=shop.hub.url)
    shutil.rmtree(old)

    assert not shop.store().path(file).exists()
    assert shop.store().refresh().mended == (file.key,)
    assert shop.store().path(file).read_bytes() == shop.contents(file)
    assert shop.hub.sent("a.safetensors") == SIZE


def test_a_run_mends_the_links_that_it_needs(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    list(ensure_models([file], shop.store()))
    path = shop.store().path(file)
    path.unlink()
    path.symlink_to("/nowhere")

    shop.store().require(graph("a.safetensors"))

    assert path.read_bytes() == shop.contents(file)


def test_a_revision_that_only_another_tool_has_is_found(shop: Shop) -> None:
    """Fetched by its commit, so that there is no reference `main`."""
    file = shop.add("a.safetensors")
    commit = shop.hub.repos[file.repo].commit
    cache = shop.settings.hub_cache
    hf_hub_download(file.repo, file.path, revision=commit, cache_dir=cache, endpoint=shop.hub.url)

    found = shop.store().find(file)

    assert found is not None
    assert found.origin is Origin.CACHE


def test_another_version_in_the_cache_is_not_taken_for_the_known_one(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    list(ensure_models([file], shop.store()))

    pinned = replace(file, sha256="0" * 64)

    assert shop.store().find(file) is not None
    assert shop.store().find(pinned) is None


def test_refresh_takes_away_links_that_lead_nowhere(shop: Shop) -> None:
    file = shop.add("a.safetensors")
    path = shop.store().path(file)
    path.parent.mkdir(parents=True)
    path.symlink_to(shop.store().cache.folder / "models--org--gone" / "snapshots" / ("0" * 40) / "a.safetensors")

    assert shop.store().refresh().removed == (file.key,)
    assert not path.is_symlink()


def test_refresh_leaves_a_users_own_links_alone(shop: Shop) -> None:
    theirs = shop.settings.models_dir / "loras" / "on-a-disk-that-is-off.safetensors"
    theirs.parent.mkdir(parents=True)
    theirs.symlink_to("/mnt/disk/lora.safetensors")

    shop.store().refresh()

    assert theirs.is_symlink()


def test_a_missing_file_is_named_with_the_command_that_fetches_it(shop: Shop) -> None:
    shop.add("a.safetensors")

    with pytest.raises(ModelMissingError, match=r"a\.safetensors is missing") as caught:
        shop.store().require(graph("a.safetensors"))
    assert caught.value.advice == FETCH
    assert caught.value.files == ("loras/a.safetensors",)
    assert "pocket" in caught.value.hint


def test_a_broken_copy_is_named_with_the_missing_file(shop: Shop, tmp_path: Path) -> None:
    shop.add("a.safetensors")
    put(tmp_path / "theirs" / "loras" / "a.safetensors", safetensors(2000)[:700])
    store = Store(replace(shop.settings, model_dirs=(tmp_path / "theirs",)))

    with pytest.raises(ModelMissingError, match="has 700 of 2,000 bytes"):
        store.require(graph("a.safetensors"))


@pytest.mark.parametrize("named", ["LTX/a.safetensors", "A.safetensors", "x/y/A.SafeTensors"])
def test_a_known_file_is_found_under_the_name_that_a_workflow_gives_it(named: str, shop: Shop) -> None:
    shop.add("a.safetensors")
    store = shop.store()
    with pytest.raises(ModelMissingError) as caught:
        store.require(graph(named))
    assert caught.value.advice == FETCH
    assert caught.value.files == ("loras/a.safetensors",)
    put(store.settings.models_dir / "loras" / "a.safetensors", safetensors(SIZE))

    store.require(graph(named))

    assert (store.settings.models_dir / "loras" / named).is_file()


@pytest.mark.parametrize("named", ["LTX/own.safetensors", "OWN.safetensors", "own.safetensors"])
@pytest.mark.parametrize("where", ["home/models/loras/sub/Own.safetensors", "theirs/models/loras/a/b/own.safetensors"])
def test_a_users_file_is_found_in_another_subfolder_and_in_other_letters(
    named: str, where: str, store: Store, tmp_path: Path
) -> None:
    theirs = put(tmp_path / where, safetensors(2000))

    with_dirs(store, tmp_path / "theirs").require(graph(named))

    assert (store.settings.models_dir / "loras" / named).resolve() == theirs


def test_of_two_files_of_one_name_neither_is_guessed(store: Store, tmp_path: Path) -> None:
    put(tmp_path / "theirs" / "loras" / "v1" / "own.safetensors", safetensors(2000))
    put(tmp_path / "theirs" / "loras" / "v2" / "own.safetensors", safetensors(2000))

    with pytest.raises(ModelMissingError, match=r"own\.safetensors is missing"):
        with_dirs(store, tmp_path / "theirs").require(graph("own.safetensors"))


def test_an_unknown_file_is_asked_for(store: Store) -> None:
    with pytest.raises(ModelMissingError) as caught:
        store.require(graph("sub/unheard-of.safetensors"))

    assert str(store.settings.models_dir / "loras" / "sub") in caught.value.hint


def test_a_place_that_is_no_file_is_not_read(store: Store, tmp_path: Path) -> None:
    (tmp_path / "comfy").mkdir()
    os.mkfifo(tmp_path / "comfy" / "extra_model_paths.yaml")

    assert with_dirs(store, tmp_path / "comfy").find(LORA) is None


def test_a_directory_in_the_way_is_said_before_anything_is_fetched(shop: Shop) -> None:
    file, other = shop.add("a.safetensors"), shop.add("b.safetensors")
    shop.store().path(file).mkdir(parents=True)

    *_, end = ensure_models([file, other], shop.store())

    assert isinstance(end, Failed)
    assert "in the way" in end.error.message
    assert shop.hub.sent("a.safetensors") == 0
    assert shop.store().find(other) is not None, "the others come all the same"
    (verdict,) = verify([file], shop.store(), lambda file, done: None, contents=False)
    assert verdict.flaw == "is not a file"


def test_a_cache_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()

    with pytest.raises(SetupError, match="is a file") as caught:
        Store(Settings(home=tmp_path / "home", hub_cache=tmp_path / "cache"))
    assert "HF_HUB_CACHE" in caught.value.hint


def test_missing_files_of_all_kinds_are_told_together(store: Store) -> None:
    built, fetched = (
        ModelFile("loras", "pocket.safetensors", built=True),
        ModelFile("loras", "b.safetensors", repo="a/b"),
    )

    assert store.missing([built, fetched]).advice == Advice.to(Do.SET_UP_POCKET)
    spaced = store.missing([ModelFile("loras", "with a space.safetensors", repo="a/b")])
    assert (spaced.advice, spaced.files) == (FETCH, ("loras/with a space.safetensors",))
