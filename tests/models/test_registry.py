"""What is known of files and sets: the studio's own, and what a user's models.toml may and may not say."""

from pathlib import Path
from typing import Any

import pytest

from ltx_studio.errors import RequestError, SetupError
from ltx_studio.families.ltx_2_3 import FAST
from ltx_studio.graph import Graph
from ltx_studio.media import by_name
from ltx_studio.models import Registry
from ltx_studio.models.registry import load_registry
from ltx_studio.modes import MODES
from ltx_studio.modes.required_models import model_files
from tests.support import MODEL_SETS

OWN = load_registry()
MINE = """
[files."checkpoints/tunes/mine.safetensors"]
repo = "me/tunes"
path = "v2/mine.safetensors"
bytes = 123456789

[sets.mine]
based_on = "fp8"
label = "My tune"
checkpoint = "tunes/mine.safetensors"

[sets.mine.camera]
static = ""
"""


def load(tmp_path: Path, text: str) -> Registry:
    own = tmp_path / "models.toml"
    own.write_text(text, encoding="utf-8")
    return load_registry(own)


def test_the_sets_that_were_promised_are_there() -> None:
    assert list(OWN.sets) == ["pocket", "fp8", "bf16", "nvfp4", "distilled-fp8", "split"]


def test_all_six_modes_need_43_gb_at_least() -> None:
    files = model_files(MODES.values(), OWN.sets["fp8"], OWN)

    assert sum(file.size for file in files) == 42_984_366_686
    assert all(file.exact and file.sha256 and not file.gated for file in files)


@pytest.mark.parametrize("model_set", OWN.sets.values(), ids=lambda item: item.id)
def test_every_file_of_every_set_is_known_with_its_source(model_set: Any) -> None:
    for file in model_files(MODES.values(), model_set, OWN, everything=True):
        assert file.use
        assert file.built or (file.repo and file.path and file.size and file.licence), file.key


def test_a_set_names_what_its_pictures_are_made_with(tmp_path: Path) -> None:
    own = load(tmp_path, '[sets.mine]\nbased_on = "fp8"\npreview = "mine.safetensors"\n')

    assert {name for name, each in OWN.sets.items() if each.preview} == {"pocket"}
    assert OWN.get_file(OWN.sets["pocket"].preview).built
    assert own.sets["mine"].preview == "mine.safetensors"
    assert "vae_approx/mine.safetensors" in own.files
    with pytest.raises(SetupError, match=r"mine\.pt"):
        load(tmp_path, '[sets.mine]\nbased_on = "fp8"\npreview = "mine.pt"\n')


def test_files_are_whole_entries() -> None:
    for key, file in OWN.files.items():
        assert key == file.key
        assert bool(file.repo) != file.built
        assert file.size or file.built


def test_what_a_graph_needs_is_found_by_walking_it() -> None:
    mode, model_set = MODES["style"], OWN.sets["fp8"]
    graph = mode.build(mode.example(model_set).model_copy(update={"control": "pose"}), model_set, FAST, by_name).graph

    names = {file.key for file in OWN.needs(graph)}

    assert "checkpoints/sdpose_wholebody_fp16.safetensors" in names
    assert "diffusion_models/rt_detr_v4-x-hgnet_fp16.safetensors" in names
    assert "loras/ltx-2.3-22b-ic-lora-union-control-ref0.5.safetensors" in names


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.ckpt", "pickle"),
        ("model.PT", "pickle"),
        ("model.bin", "pickle"),
        ("model.gguf", "only .safetensors"),
        ("../../etc/model.safetensors", "leaves its folder"),
        ("/etc/model.safetensors", "leaves its folder"),
        ("a/../../model.safetensors", "leaves its folder"),
        ("..\\model.safetensors", "characters"),
        ("a\x00.safetensors", "characters"),
    ],
)
def test_a_graph_that_names_a_pickle_or_leads_out_is_refused_with_the_reason(name: str, said: str) -> None:
    graph = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": name}}}

    with pytest.raises(RequestError, match=said):
        OWN.needs(graph)


def test_a_file_of_another_programs_node_is_known_by_its_name() -> None:
    name = "ltx-2.3-22b-dev.safetensors"
    graph = {
        "1": {"class_type": "SomebodysLoader", "inputs": {"model": name}},
        "2": {"class_type": "SomebodysText", "inputs": {"text": "a prompt that ends in .safetensors"}},
        "3": {"class_type": "CLIPLoader", "inputs": {"clip_name": "never/heard-of.safetensors"}},
    }

    assert [file.key for file in OWN.needs(graph)] == [
        f"checkpoints/{name}",
        "text_encoders/never/heard-of.safetensors",
    ]


def test_a_users_set_takes_another_one_and_changes_it(tmp_path: Path) -> None:
    registry = load(tmp_path, MINE)

    mine, fp8 = registry.sets["mine"], registry.sets["fp8"]
    assert mine.loaders.nodes["Model"]["inputs"] == {"ckpt_name": "tunes/mine.safetensors"}
    assert mine.loaders.nodes["Upscaler"] == fp8.loaders.nodes["Upscaler"]
    assert (mine.width, mine.guidance_blocks) == (fp8.width, fp8.guidance_blocks)
    assert set(fp8.camera) - set(mine.camera) == {"static"}
    keys = [file.key for file in model_files(MODES.values(), mine, registry)]
    assert keys[0] == "checkpoints/tunes/mine.safetensors"
    assert registry.files[keys[0]].path == "v2/mine.safetensors"


def test_a_users_set_of_a_file_without_a_source_is_taken(tmp_path: Path) -> None:
    registry = load(tmp_path, '[sets.x]\nbased_on = "fp8"\nlabel = "X"\ncheckpoint = "own.safetensors"')

    assert registry.files["checkpoints/own.safetensors"].repo == ""


def test_a_user_may_correct_what_is_known_of_a_file(tmp_path: Path) -> None:
    key = "checkpoints/ltx-2.3-22b-dev-fp8.safetensors"

    file = load(tmp_path, f'[files."{key}"]\nsha256 = "{"a" * 64}"').files[key]

    assert (file.sha256, file.repo) == ("a" * 64, "Lightricks/LTX-2.3-fp8")


def test_a_change_of_the_users_file_is_noticed(tmp_path: Path) -> None:
    assert "mine" not in load(tmp_path, "").sets
    assert "mine" in load(tmp_path, MINE).sets


SET = '[sets.x]\nbased_on = "fp8"\nlabel = "X"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[files."checkpoints/../../evil.safetensors"]', "leaves its folder"),
        ('[files."checkpoints//evil.safetensors"]', "leaves its folder"),
        ('[files."../checkpoints/evil.safetensors"]', "ComfyUI's folders"),
        ('[files."/etc/evil.safetensors"]', "ComfyUI's folders"),
        ('[files."evil.safetensors"]', "ComfyUI's folders"),
        ('[files."checkpoints/evil.ckpt"]', "pickle"),
        ('[files."checkpoints/a.safetensors"]\nrepo = "a/b"\npath = "../a.safetensors"', "leaves its folder"),
        ('[files."checkpoints/a.safetensors"]\nrepo = "a/b"\npath = "/a.safetensors"', "leaves its folder"),
        ('[files."checkpoints/a.safetensors"]\nrepo = "a/b"\npath = "a.bin"', "pickle"),
        ('[files."checkpoints/a.safetensors"]\nrepo = "../a/b"', "repo"),
        ('[files."checkpoints/a.safetensors"]\nrepo = "../.."', "repo"),
        ('[files."checkpoints/a.safetensors"]\nsha256 = "abc"', "sha256"),
        ('[files."checkpoints/a.safetensors"]\nbytes = -1', "bytes"),
        ('[files."checkpoints/a.safetensors"]\nsize = 1', "size"),
        ("[fils]", "fils"),
        ("not toml", "models.toml"),
        (f'{SET}checkpoint = "../x.safetensors"', "leaves its folder"),
        (f'{SET}checkpoint = "x.ckpt"', "pickle"),
        (f'{SET}checkpoint = ""', "neither a checkpoint"),
        (f'{SET}video_vae = "v.safetensors"', "a checkpoint and video_vae"),
        (f'{SET}camera = {{"spin" = "x.safetensors"}}', "spin"),
        (f'{SET}control = {{"smell" = "x.safetensors"}}', "smell"),
        (f'{SET}control_models = ["taste"]', "taste"),
        (f'{SET}camera = {{"static" = "../../x.safetensors"}}', "leaves its folder"),
        ('[sets.x]\nbased_on = "nothing"', "nothing"),
        ('[sets.x]\nbased_on = "y"\n[sets.y]\nbased_on = "x"', "based on itself"),
        ('[sets.x]\nlabel = "X"', "width"),
        (f"{SET}width = 65", "width"),
        (f'{SET}upscaler = ""', "upscaler"),
        (f'{SET}text_encoder = ""', "text_encoder"),
        (f"{SET}distilled_strength = nan", "distilled_strength"),
        ("[" * 5000, "models.toml"),
        (f'[files."loras/{"a/" * 2500}b.safetensors"]', "too long"),
        ('[files."lora/a.safetensors"]', "did you mean loras?"),
        ('[files."loras/a.safetensors"]\nrepo = "https://huggingface.co/a/b"', "owner/name"),
        ('[files."loras/a.safetensors"]\nrepo = "a/b.git"', ".git"),
        ('[files."loras/a.safetensors"]\nsha256 = "…"', "64 hexadecimal digits"),
        (f'[files."loras/a.safetensors"]\nbytes = {"9" * 30}', "bytes"),
        (f'{SET}checkpont = "x.safetensors"', "did you mean checkpoint?"),
        (f'{SET}checkpoint = "checkpoints/x.safetensors"', "remove checkpoints/"),
        *(
            (f'[files."loras/a.safetensors"]\nrepo = "{repo}"', "repo")
            for repo in ("a--b/c", "a/b..c", "a/b-", "ä/b", "a")
        ),
        ('[sets."../x"]\nbased_on = "fp8"', "lower-case letters"),
        ("sets = 3", "models.toml"),
        ("[sets]\nx = 3", "models.toml"),
        ("[files]\nx = 3", "models.toml"),
    ],
)
def test_a_users_file_that_says_something_wrong_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SetupError) as caught:
        load(tmp_path, text)

    assert said in caught.value.message
    assert "models.toml" in caught.value.message
    assert "models.toml" in caught.value.hint


def test_an_unknown_file_is_refused_and_one_name_in_two_folders_is_asked_about(tmp_path: Path) -> None:
    registry = load(tmp_path, '[files."checkpoints/two.safetensors"]\n[files."loras/two.safetensors"]')

    with pytest.raises(RequestError, match="no model file 'none'"):
        registry.get_file("none")
    with pytest.raises(RequestError, match="several files") as caught:
        registry.get_file("two.safetensors")
    assert "loras/two.safetensors" in caught.value.hint
    assert registry.get_file("loras/two.safetensors").folder == "loras"


@pytest.mark.parametrize("model_set", MODEL_SETS.values(), ids=lambda item: item.id)
def test_a_set_loads_each_part_from_where_it_is(model_set: Any) -> None:
    mode = MODES["t2v"]
    graph = Graph(mode.build(mode.example(model_set), model_set, FAST, by_name).graph)

    assert ("Video VAE" in graph) == (model_set.id == "split")
    assert ("Distilled LoRA" in graph) == (not model_set.is_distilled)


def test_a_model_name_with_half_a_character_is_refused() -> None:
    graph = {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "\ud800.safetensors"}}}

    with pytest.raises(RequestError, match="characters that are not allowed in a file name"):
        OWN.needs(graph)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a." * 100_000 + "b = 1", "100,000 dots in one line; the limit is"), ("# a comment\n" * 100_000, "more than")],
    ids=range(2),
)
def test_a_file_that_would_take_long_to_parse_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=said):
        load(tmp_path, text)
