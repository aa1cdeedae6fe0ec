"""The studio's own ComfyUI nodes. The folder is complete in itself, so it can be copied into `custom_nodes`."""

from .pocket_text_encoder import PocketTextEncoderLoader

NODE_CLASS_MAPPINGS = {"PocketTextEncoderLoader": PocketTextEncoderLoader}
NODE_DISPLAY_NAME_MAPPINGS = {"PocketTextEncoderLoader": "Load Pocket Text Encoder"}
