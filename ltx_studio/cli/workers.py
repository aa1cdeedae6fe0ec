"""`ltx-studio workers`: the workers of the running studio."""

from ltx_studio.cli.output import echo, echo_json
from ltx_studio.settings import Settings
from ltx_studio.studio.cluster import seconds_ago, states
from ltx_studio.text.formatting import in_gb

NO_CLUSTER = "There are no workers. Start the studio with `ltx-studio serve --workers N` or `--cluster ADDRESS`."


def show_workers(settings: Settings, *, as_json: bool) -> None:
    """Print each worker with its device, memory, job and model set, and when it last answered."""
    found = states(settings)
    if as_json:
        echo_json([state.as_dict() for state in found])
        return
    if not found:
        echo(NO_CLUSTER)
    for state in found:
        parts = [state.name]
        if state.device:
            parts.append(f"{state.device}, {in_gb(state.used)} of {in_gb(state.total)} GB in use")
        parts.append(state.problem or (f"job {state.job}" if state.job else "free"))
        parts += [f"{state.model_set} loaded"] if state.model_set else []
        parts += [f"last seen {seconds_ago(state):.0f} s ago"] if state.heard else []
        echo(" · ".join(parts))
