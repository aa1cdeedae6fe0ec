"""Options for x264 that give the same file from the same frames."""

from functools import cache
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_AVX2_AND_BELOW = "AVX2,FMA3,LZCNT,BMI1,BMI2"
"""The instruction sets that x264 may use; every processor with AVX-512 has them."""


@cache
def repeatable_options() -> dict[str, str]:
    """Return the options that keep x264 from AVX-512, or none where the processor has no AVX-512.

    With AVX-512, x264's macroblock tree reads past the end of its rows unless a picture's width is a multiple of 128
    pixels. What happens to be in memory there then decides how bits are spent: the same frames give another clip,
    up to 33 of 255 levels apart. With AVX2 the clip is the same each time, and encoding takes as long.
    """
    try:
        found = _CPU_INFO.read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux: PyTorch supports no other system with AVX-512
        return {}
    return {"x264-params": f"asm={_AVX2_AND_BELOW}"} if "avx512bw" in found else {}
