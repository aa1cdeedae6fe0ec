"""Colour conversion for an SDR screen: profiles, wide gamuts and HDR become sRGB or BT.709.

Codes for primaries and transfers are those of ITU-T H.273, which video, PNG, HEIF and AVIF share.
"""

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

PQ, HLG = 16, 18
HDR_NAMES = {PQ: "PQ", HLG: "HLG"}
"""The HDR transfers, with the names that cameras and players use."""

UNSPECIFIED = 2
_BT2020 = 9
_SRGB_TRANSFER = 13
_DISPLAY_GAMMA = 2.4
"""Gamma of a screen that shows SDR video (BT.1886). SDR still pictures use sRGB's curve."""

_WHITE_NITS = 203
"""SDR white within HDR (BT.2408)."""

_HLG_NITS, _HLG_GAMMA = 1000, 1.2
"""An HLG screen at its nominal brightness (BT.2100)."""

KNEE, PEAK = 0.75, 5.0
"""Light up to `KNEE` of SDR white is unchanged; above, it is compressed so that `PEAK` times white becomes white.
FFmpeg's `tonemap=mobius:param=0.75:peak=5` after `zscale=t=linear:npl=203` does the same."""

_XY = {9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)), 12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))}
_XY[11] = _XY[12]
_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_D65 = (0.3127, 0.3290)
_CODES = 1 << 12


def is_hdr(transfer: int) -> bool:
    """Return whether a transfer is an HDR one."""
    return transfer in HDR_NAMES


def needs_conversion(primaries: int, transfer: int) -> bool:
    """Return whether such colours need conversion for an SDR screen."""
    return is_hdr(transfer) or primaries in _XY


def to_sdr(rgb: Any, primaries: int, transfer: int, *, still: bool = False) -> Any:
    """Return RGB for an SDR screen.

    Args:
        rgb: (height, width, 3) uint16, encoded with `transfer`.
        primaries: H.273 code; colours without a wide gamut are unchanged.
        transfer: H.273 code; all but `PQ` and `HLG` count as SDR, whose curve is kept.
        still: Whether it is a still picture, for which HDR becomes sRGB, rather than a video frame.

    Returns:
        (height, width, 3) uint8.
    """
    import numpy as np

    if is_hdr(transfer) and primaries == UNSPECIFIED:
        primaries = _BT2020
    decoded = _decoding(transfer)
    light = [decoded[rgb[..., channel]] for channel in range(3)]
    if primaries in _XY:
        light = [sum(part * plane for part, plane in zip(row, light, strict=True)) for row in _to_bt709(primaries)]
    if is_hdr(transfer):
        factor = _compression(np.maximum(np.maximum(light[0], light[1]), light[2]))
        light = [plane * factor for plane in light]
    encoded = _encoding(srgb=transfer == _SRGB_TRANSFER or (still and is_hdr(transfer)))
    made = np.empty(rgb.shape, dtype=np.uint8)
    for channel, plane in enumerate(light):
        steps = np.sqrt(np.clip(plane, 0, 1))
        made[..., channel] = encoded[np.rint(steps * (_CODES - 1)).astype(np.uint16)]
    return made


def still_of(pixels: Any, primaries: int, transfer: int) -> "Image.Image":
    """Return a still picture for an SDR screen; `pixels` are (height, width, 3) uint8 or uint16, see `to_sdr`."""
    import numpy as np
    from PIL import Image

    step = max(1, 500_000 // pixels.shape[1])
    factor = 257 if pixels.dtype == np.uint8 else 1
    made = [
        to_sdr(pixels[top : top + step].astype(np.uint16) * np.uint16(factor), primaries, transfer, still=True)
        for top in range(0, pixels.shape[0], step)
    ]
    return Image.fromarray(np.concatenate(made))


@lru_cache(maxsize=4)
def _decoding(transfer: int) -> Any:
    """Return the linear light of each 16-bit code."""
    import numpy as np

    code = np.linspace(0, 1, 65_536)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        light = 10_000 / _WHITE_NITS * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    elif transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        light = _HLG_NITS / _WHITE_NITS * scene**_HLG_GAMMA  # for each channel, as zscale does
    elif transfer == _SRGB_TRANSFER:
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    else:
        light = code**_DISPLAY_GAMMA
    return light.astype(np.float32)


@lru_cache(maxsize=2)
def _encoding(*, srgb: bool) -> Any:
    """Return the 8-bit code for each square root of light, in `_CODES` steps: dark tones need finer steps."""
    import numpy as np

    light = np.linspace(0, 1, _CODES) ** 2
    return np.round((srgb_of(light) if srgb else light ** (1 / _DISPLAY_GAMMA)) * 255).astype(np.uint8)


def srgb_of(light: Any) -> Any:
    """Return light, an array from 0 to 1, encoded with sRGB's curve (IEC 61966-2-1), from 0 to 1."""
    import numpy as np

    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _compression(brightest: Any) -> Any:
    """Return the factor for each pixel, from its brightest channel (the Möbius tone curve)."""
    import numpy as np

    a = -(KNEE**2) * (PEAK - 1) / (KNEE**2 - 2 * KNEE + PEAK)
    b = (KNEE**2 - 2 * KNEE * PEAK + PEAK) / (PEAK - 1)
    bright = np.maximum(brightest, KNEE)
    curve = (b**2 + 2 * b * KNEE + KNEE**2) / (b - a) * (bright + a) / (bright + b)
    return np.where(brightest <= KNEE, np.float32(1), curve / bright)


@lru_cache(maxsize=3)
def _to_bt709(primaries: int) -> Any:
    """Return the rows of the 3×3 matrix from linear RGB with these primaries to BT.709."""
    import numpy as np

    def to_xyz(corners: Any) -> Any:
        columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in corners]).T
        white = np.array((_D65[0] / _D65[1], 1, (1 - sum(_D65)) / _D65[1]))
        return columns * np.linalg.solve(columns, white)

    return (np.linalg.inv(to_xyz(_BT709)) @ to_xyz(_XY[primaries])).tolist()


NOTICED = 8
"""Of 255: profiles of sRGB itself differ slightly less, because some approximate its curve by a power."""


class PictureColours:
    """A converter of parts of one picture to sRGB, from its profile or its codes."""

    def __init__(
        self, profile: bytes | None = None, codes: tuple[int, int] | None = None, gamma: float | None = None
    ) -> None:
        """`profile` is an ICC profile; an invalid one is ignored, as in browsers.

        `codes` are H.273 primaries and transfer; for HDR or a wide gamut they override a profile. `gamma` is the
        exponent with which light was encoded, if nothing else is given.
        """
        self._table = None if gamma is None else _from_gamma(gamma) * 3
        self._codes = codes if codes and needs_conversion(*codes) else None
        self._profile = _parsed(profile)
        self._space = self._profile.profile.xcolor_space.strip() if self._profile else ""
        self._transforms: dict[str, Any] = {}

    def to_srgb(self, image: "Image.Image", *, is_gray: bool = False) -> "Image.Image":
        """Return an opaque picture in any 8-bit mode as RGB; `is_gray` if it was made from grays."""
        if self._codes is not None:
            return self._by_codes(image.convert("RGB"))
        if image.mode == "LAB":
            return self._transformed(image)
        match self._space:
            case "GRAY" if is_gray:
                return self._transformed(image.convert("L"))
            case "CMYK" if image.mode == "CMYK":
                return self._transformed(image)
            case "RGB" if image.mode != "CMYK":
                return self._transformed(image.convert("RGB"))
        plain = image.convert("RGB")
        return plain if self._table is None else plain.point(self._table)

    def _by_codes(self, image: "Image.Image") -> "Image.Image":
        import numpy as np

        assert self._codes is not None
        return still_of(np.asarray(image), *self._codes)

    def _transformed(self, image: "Image.Image") -> "Image.Image":
        from PIL import ImageCms

        if image.mode not in self._transforms:
            self._transforms[image.mode] = self._transform(image.mode)
        transform = self._transforms[image.mode]
        if transform is None:
            return image.convert("RGB")
        made = ImageCms.applyTransform(image, transform)
        assert made is not None
        return made

    def _transform(self, mode: str) -> Any:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")) if mode == "LAB" else self._profile
        assert source is not None
        try:
            return ImageCms.buildTransform(
                source, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.PERCEPTUAL
            )
        except ImageCms.PyCMSError:
            return None


def _from_gamma(gamma: float) -> list[int]:
    """Return the sRGB code for each of 256 codes that encode light to the power of `gamma`."""
    import numpy as np

    light = np.linspace(0, 1, 256) ** (1 / gamma)
    codes: list[int] = np.round(srgb_of(light) * 255).astype(int).tolist()
    return codes


def _parsed(profile: bytes | None) -> Any:
    from PIL import ImageCms

    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else None
    except (ImageCms.PyCMSError, OSError):
        return None


def changes_colours(profile: bytes | None) -> bool:
    """Return whether a picture with this ICC profile looks different when it is read as sRGB."""
    from PIL import Image, ImageChops

    colours = PictureColours(profile)
    red, gray = Image.new("RGB", (1, 1), (220, 40, 40)), Image.new("L", (1, 1), 100)
    seen = colours.to_srgb(red), colours.to_srgb(gray, is_gray=True)
    differences = (ImageChops.difference(a, b) for a, b in zip(seen, (red, gray.convert("RGB")), strict=True))
    return any(max(each.tobytes()) > NOTICED for each in differences)
