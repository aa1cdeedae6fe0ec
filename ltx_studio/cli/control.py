"""`ltx-studio generate MODE --preview-control FILE.png`: preview the control map, without rendering."""

import io
from contextlib import redirect_stdout
from pathlib import Path

from ltx_studio.cancel import CancelToken
from ltx_studio.cli.named import check_apart
from ltx_studio.cli.output import echo, echo_json
from ltx_studio.cli.signals import stop_on_signal
from ltx_studio.errors import RequestError
from ltx_studio.logs import log_to_file
from ltx_studio.permissions import as_usual, user_mode
from ltx_studio.settings import Settings
from ltx_studio.studio import JobSpec
from ltx_studio.studio.control_preview import part_of, preview_control

OPTION = "--preview-control"


def check_alone(**given: bool) -> None:
    """Refuse options that have no effect beside the preview; `given` is by option name.

    Raises:
        RequestError: One of the options is given.
    """
    for name, is_given in given.items():
        if is_given:
            raise RequestError(f"{OPTION} renders nothing, so --{name} has no effect.", f"Remove --{name}.")


def show_control(spec: JobSpec, settings: Settings, destination: Path, *, as_json: bool) -> int:
    """Write the preview of a request's control map, and show the notes about it.

    Raises:
        StudioError: There is no control clip, the file cannot be written, or the map cannot be made.
    """
    part = part_of(spec)
    if part is None:
        raise RequestError(f"{OPTION} needs a control clip.", "Add one with --control-clip.")
    if destination.suffix.lower() != ".png":
        raise RequestError(f"{destination.name} does not end in .png.", f"Use a .png file for {OPTION}.")
    check_apart(destination, spec.files().values(), OPTION)
    log_to_file(settings)
    cancel = CancelToken()
    with stop_on_signal(cancel, lambda line: echo(line, err=True)), redirect_stdout(io.StringIO()):
        try:
            with as_usual():
                destination.parent.mkdir(parents=True, exist_ok=True)
            preview_control(spec, destination, settings, cancel)
            destination.chmod(user_mode())
        except OSError as error:
            raise RequestError(
                f"{destination} cannot be written: {error.strerror}.", f"Choose another path for {OPTION}."
            ) from None
    notes = spec.notes(keeps_files=False)
    if as_json:
        echo_json({"path": str(destination), "notes": notes})
        return 0
    for note in notes:
        echo(note, err=True)
    echo(str(destination))
    return 0
