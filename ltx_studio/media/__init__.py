"""User files: pictures, sounds, clips and LoRAs; checking them, and preparing them for a graph."""

from ltx_studio.media.input_requests import (
    ClipFile,
    InputRequest,
    LoraFile,
    PictureFile,
    PrepareInput,
    SoundFile,
    WholeFile,
    by_name,
)
from ltx_studio.media.input_store import InputStore
from ltx_studio.media.prepare_inputs import InputPreparer, sweep
from ltx_studio.media.probe import Clip, Picture, Sound, check_lora, probe_clip, probe_picture, probe_sound

__all__ = [
    "Clip",
    "ClipFile",
    "InputPreparer",
    "InputRequest",
    "InputStore",
    "LoraFile",
    "Picture",
    "PictureFile",
    "PrepareInput",
    "Sound",
    "SoundFile",
    "WholeFile",
    "by_name",
    "check_lora",
    "probe_clip",
    "probe_picture",
    "probe_sound",
    "sweep",
]
