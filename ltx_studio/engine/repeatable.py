"""PyAV as ComfyUI gets it for saving clips: its H.264 encoder gives the same file from the same frames."""

from types import ModuleType, TracebackType
from typing import Any, Self

from ltx_studio.media.h264 import repeatable_options

_H264 = ("h264", "libx264")


class RepeatableAv(ModuleType):
    """Module `av`, except that files opened for writing are `_Output`s."""

    def __init__(self, av: ModuleType) -> None:
        """Wrap `av`."""
        super().__init__(av.__name__)
        self._av = av

    def __getattr__(self, name: str) -> Any:
        return getattr(self._av, name)

    def open(self, file: Any, mode: str | None = None, *rest: Any, **options: Any) -> Any:
        """Open a media file, as `av.open` does."""
        opened = self._av.open(file, mode, *rest, **options)
        return _Output(opened) if isinstance(opened, self._av.container.OutputContainer) else opened


class _Forwarding:
    """An object with the attributes of another. PyAV does not accept it in place of that, as in `Packet.stream`."""

    def __init__(self, to: Any) -> None:
        object.__setattr__(self, "_to", to)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._to, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._to, name, value)


class _Output(_Forwarding):
    def __enter__(self) -> Self:
        self._to.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._to.__exit__(kind, error, traceback)

    def add_stream(self, codec_name: str, *rest: Any, **options: Any) -> Any:
        stream = self._to.add_stream(codec_name, *rest, **options)
        if codec_name not in _H264:
            return stream
        made = _H264Stream(stream)
        made.options = stream.codec_context.options
        return made


class _H264Stream(_Forwarding):
    """A stream whose options always include `repeatable_options`."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, {**value, **repeatable_options()} if name == "options" else value)
