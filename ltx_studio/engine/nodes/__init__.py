"""The studio's own ComfyUI nodes. The folder is complete in itself, so it can be copied into `custom_nodes`."""

from .guider import LTXStudioGuider
from .pocket_text_encoder import PocketTextEncoderLoader

NODE_CLASS_MAPPINGS = {"LTXStudioGuider": LTXStudioGuider, "PocketTextEncoderLoader": PocketTextEncoderLoader}
NODE_DISPLAY_NAME_MAPPINGS = {
    "LTXStudioGuider": "LTX Studio Guider",
    "PocketTextEncoderLoader": "Load Pocket Text Encoder",
}
