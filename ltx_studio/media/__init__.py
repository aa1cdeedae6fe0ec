"""What users bring: pictures, sounds, clips and LoRAs; whether they can be used, and making them ready for a graph."""

from ltx_studio.media.keep import Keeper
from ltx_studio.media.probe import Clip, Picture, Sound, check_lora, probe_clip, probe_picture, probe_sound
from ltx_studio.media.stage import Stager, sweep
from ltx_studio.media.wants import ClipFile, LoraFile, PictureFile, SoundFile, Staging, Want, WholeFile, by_name

__all__ = [
    "Clip",
    "ClipFile",
    "Keeper",
    "LoraFile",
    "Picture",
    "PictureFile",
    "Sound",
    "SoundFile",
    "Stager",
    "Staging",
    "Want",
    "WholeFile",
    "by_name",
    "check_lora",
    "probe_clip",
    "probe_picture",
    "probe_sound",
    "sweep",
]
