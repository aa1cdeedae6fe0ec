"""Sizes of the pocket model. Transformer, VAEs, vocoder and upscaler read theirs from the JSON in their files.

A latent cell stays 32×32 pixels by 8 frames with 128 channels, because ComfyUI's nodes rely on that; only the
networks are small inside.
"""

from typing import Any

HEADS, HEAD_WIDTH = 6, 32
AUDIO_HEADS, AUDIO_HEAD_WIDTH = 4, 16
TEXT_WIDTH = HEADS * HEAD_WIDTH + AUDIO_HEADS * AUDIO_HEAD_WIDTH
"""The connectors take the video's and the audio's half of a text vector side by side."""

TRANSFORMER: dict[str, Any] = {
    "in_channels": 128,
    "audio_in_channels": 128,
    "num_layers": 6,
    "caption_channels": 64,
    "num_attention_heads": HEADS,
    "attention_head_dim": HEAD_WIDTH,
    "cross_attention_dim": HEADS * HEAD_WIDTH,
    "audio_num_attention_heads": AUDIO_HEADS,
    "audio_attention_head_dim": AUDIO_HEAD_WIDTH,
    "audio_cross_attention_dim": AUDIO_HEADS * AUDIO_HEAD_WIDTH,
    # these five make it 2.3 rather than 2.0
    "caption_proj_before_connector": True,
    "caption_projection_first_linear": False,
    "cross_attention_adaln": True,
    "apply_gated_attention": True,
    "connector_apply_gated_attention": True,
    "connector_num_attention_heads": HEADS,
    "connector_attention_head_dim": HEAD_WIDTH,
    "audio_connector_num_attention_heads": AUDIO_HEADS,
    "audio_connector_attention_head_dim": AUDIO_HEAD_WIDTH,
    # none: a connector always works on 1024 tokens, which would cost more than the whole transformer
    "connector_num_layers": 0,
    "rope_type": "split",
    # ComfyUI's frequencies span four decades regardless; with these most rotate slowly enough for clips this small
    "positional_embedding_max_pos": [40, 8192, 8192],
    "audio_positional_embedding_max_pos": [40],
    "frequencies_precision": "float64",
    "use_middle_indices_grid": True,
    "timestep_scale_multiplier": 1000.0,
    "av_ca_timestep_scale_multiplier": 1000.0,
    "causal_temporal_positioning": True,
}

VIDEO_VAE: dict[str, Any] = {
    "_class_name": "CausalVideoAutoencoder",
    "dims": 3,
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 128,
    "encoder_blocks": [
        ["res_x", {"num_layers": 1}],
        ["compress_time_res", {"multiplier": 1}],
        ["compress_all_res", {"multiplier": 2}],
        ["res_x", {"num_layers": 1}],
        ["compress_all_res", {"multiplier": 2}],
        ["res_x", {"num_layers": 1}],
    ],
    # the last entry becomes up_blocks.0, by whose res_blocks ComfyUI recognises the file
    "decoder_blocks": [
        ["res_x", {"num_layers": 1}],
        ["compress_time", {"multiplier": 1}],
        ["compress_all", {"residual": True, "multiplier": 2}],
        ["res_x", {"num_layers": 1}],
        ["compress_all", {"residual": True, "multiplier": 2}],
        ["res_x", {"num_layers": 1}],
    ],
    "patch_size": 8,
    "latent_log_var": "uniform",
    "norm_layer": "pixel_norm",
    "causal_decoder": False,
    "timestep_conditioning": False,
    "spatial_padding_mode": "zeros",
    "encoder_base_channels": 24,
    "decoder_base_channels": 24,
}

MEL_BINS = 64

AUDIO_VAE: dict[str, Any] = {
    "model": {
        "params": {
            "sampling_rate": 16000,
            "ddconfig": {
                "mel_bins": MEL_BINS,
                "double_z": True,
                "z_channels": 8,
                "resolution": 256,
                "in_channels": 2,
                "out_ch": 2,
                "ch": 16,
                "ch_mult": [1, 2, 2],
                "num_res_blocks": 1,
                "attn_resolutions": [],
                "dropout": 0.0,
                "norm_type": "pixel",
                "causality_axis": "height",
                "mid_block_add_attention": False,
            },
        }
    },
    "preprocessing": {"stft": {"hop_length": 160, "filter_length": 1024}},
}

VOCODER: dict[str, Any] = {
    "upsample_initial_channel": 96,
    "resblock": "1",  # ComfyUI recognises the file by this variant's key names
    "upsample_rates": [10, 16],
    "upsample_kernel_sizes": [20, 32],
    "resblock_kernel_sizes": [3],
    "resblock_dilation_sizes": [[1, 3, 5]],
    "output_sample_rate": 16000,
    "stereo": True,
}

CONFIG = {"transformer": TRANSFORMER, "vae": VIDEO_VAE, "audio_vae": AUDIO_VAE, "vocoder": VOCODER}
"""The configuration in a checkpoint's metadata."""

UPSCALER: dict[str, Any] = {
    "_class_name": "LatentUpsampler",
    "in_channels": 128,
    "mid_channels": 64,
    "num_blocks_per_stage": 2,
    "dims": 3,
    "spatial_upsample": True,
    "temporal_upsample": False,
    "spatial_scale": 2.0,
    "rational_resampler": True,
}

LORA_RANKS = {"distilled": 16, "control": 48, "pose": 12, "detailer": 12, "manner": 6}
"""Rank of each LoRA; `manner` is for every camera and the sketch."""
IC_LORA_DOWNSCALE = 2
