"""The memory that decoding a clip takes: for most clips the largest piece of work beside the weights."""

TILE = 768
"""Pixels: the templates decode in tiles of this width and height, each with all frames."""

_BYTES_PER_CELL = 1200 * 512 * 2
"""ComfyUI 0.30 asks for this much for each cell of a tile's latent (`memory_used_decode` of LTX's VAE, in bf16)."""


def decode_bytes(width: int, height: int, frames: int) -> int:
    """Return the bytes that decoding a clip asks for: 10.4 GB for 121 frames of 1280×704."""
    across, down = min(width, TILE) // 32, min(height, TILE) // 32
    return _BYTES_PER_CELL * across * down * ((frames - 1) // 8 + 1)
