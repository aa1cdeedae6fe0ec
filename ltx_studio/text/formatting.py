"""Format values for people: text from elsewhere, sizes in bytes, sizes of memory."""

GIGABYTE = 1000**3
"""In bytes, as disks count."""


def printable(text: str) -> str:
    """Replace characters that would control a terminal in text from elsewhere by spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def quoted(value: object, most: int = 100) -> str:
    """Return a client's value as an error can show it: text shortened and in quotes, otherwise its type."""
    if not isinstance(value, str):
        return f"of type {type(value).__name__}"
    return repr(value if len(value) <= most else f"{value[:most]}…")


_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def in_bytes(count: float) -> str:
    """Format bytes as ``29.1 GB``: powers of 1000, as disks and Hugging Face count."""
    for unit in _UNITS:
        if abs(count) < 999.95 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == _UNITS[0] else f"{count:.1f} {unit}"


def in_round_bytes(count: float) -> str:
    """Format bytes as `in_bytes` does, but without decimals from ten units on: ``43 GB``, ``9.0 MB``."""
    number, _, unit = in_bytes(count).partition(" ")
    return f"{float(number):.0f} {unit}" if float(number) >= 10 else f"{number} {unit}"


def in_memory(count: float) -> str:
    """Format bytes as ``23.5 GB``: powers of 1024, as memory is sold."""
    if count < 1 << 30:
        return f"{count / (1 << 20):.0f} MB"
    return f"{in_gb(count)} GB"


def in_whole_gb(count: float) -> str:
    """Format bytes as `in_gb` does, but without a zero after the point: ``8``, ``7.8``."""
    return in_gb(count).removesuffix(".0")


def in_gb(count: float) -> str:
    """Format bytes as gigabytes of memory without a unit: ``1.2``, ``24``."""
    size = count / (1 << 30)
    return f"{size:.1f}" if size < 9.95 else f"{size:.0f}"
