import io
import os
import signal
import threading

from ltx_studio.cancel import CancelToken
from ltx_studio.cli.signals import stop_on_signal


class Interrupted(io.RawIOBase):
    """A terminal that is written to at the moment at which Ctrl+C is pressed."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, memoryview)
        if not self.written:
            os.kill(os.getpid(), signal.SIGINT)
        self.written += bytes(data)
        return len(data)


def test_a_stop_in_the_middle_of_a_line_is_a_stop_and_told_after_it() -> None:
    terminal, cancel, told_by = Interrupted(), CancelToken(), []
    stderr = io.BufferedWriter(terminal)
    before = signal.getsignal(signal.SIGINT)  # ignored, where a shell started the tests in the background

    def tell(line: str) -> None:
        told_by.append(threading.current_thread())
        stderr.write(line.encode())
        stderr.flush()

    with stop_on_signal(cancel, tell):
        stderr.write(b"[1/7] Load models\n")
        stderr.flush()

    assert cancel.cancelled
    assert terminal.written.startswith(b"[1/7] Load models\nStopping")
    assert told_by != [threading.main_thread()]
    assert signal.getsignal(signal.SIGINT) is before
