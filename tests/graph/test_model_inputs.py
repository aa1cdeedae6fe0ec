"""Which inputs name model files, held against ComfyUI itself."""

from ltx_studio.engine import Engine
from ltx_studio.engine.boot import boot
from ltx_studio.graph.model_inputs import loader_table, model_inputs
from ltx_studio.settings import Settings
from tools.model_inputs import ask


def test_the_table_is_what_comfyui_says(engine: Engine, settings: Settings) -> None:
    """When ComfyUI has changed: `make golden`."""
    assert ask(boot(settings)) == loader_table()


def test_asking_leaves_comfyuis_folders_as_they_were(engine: Engine, settings: Settings) -> None:
    comfy = boot(settings)
    before = {kind: list(paths) for kind, (paths, _) in comfy.folder_paths.folder_names_and_paths.items()}

    ask(comfy)

    assert {kind: list(paths) for kind, (paths, _) in comfy.folder_paths.folder_names_and_paths.items()} == before
    assert "marker-of-loras.safetensors" not in comfy.folder_paths.get_filename_list("loras")


def test_each_input_is_told_with_its_title_and_folders() -> None:
    graph = {
        "1": {
            "class_type": "LTXAVTextEncoderLoader",
            "inputs": {"text_encoder": "gemma.safetensors", "ckpt_name": "ltx/base.safetensors", "device": "default"},
            "_meta": {"title": "Text encoder"},
        },
        "2": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "up.pth"}},
        "3": {"class_type": "LatentUpscaleModelLoader", "inputs": {"model_name": "up.safetensors"}},
        "4": {"class_type": "VAELoader", "inputs": {"vae_name": "pixel_space"}},
    }

    told = [(item.title, item.name, item.file, item.folders) for item in model_inputs(graph)]

    assert told == [
        ("Text encoder", "text_encoder", "gemma.safetensors", ("text_encoders",)),
        ("Text encoder", "ckpt_name", "ltx/base.safetensors", ("checkpoints",)),
        ("UpscaleModelLoader", "model_name", "up.pth", ("upscale_models",)),
        ("LatentUpscaleModelLoader", "model_name", "up.safetensors", ("latent_upscale_models",)),
    ]


def test_a_prompt_that_ends_like_a_file_is_no_file() -> None:
    graph = {"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "open model.safetensors"}}}

    assert list(model_inputs(graph)) == []
