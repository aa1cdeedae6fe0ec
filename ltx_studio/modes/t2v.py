"""Text to video: a prompt becomes a clip with sound."""

from ltx_studio.modes.base import Mode
from ltx_studio.modes.fields import Params, Sounding
from ltx_studio.modes.phases import two_stage_phases


class TextToVideo(Sounding, Params):
    """A prompt is enough."""


T2V = Mode(id="t2v", label="Text to video", params=TextToVideo, phases=two_stage_phases("t2v"))
