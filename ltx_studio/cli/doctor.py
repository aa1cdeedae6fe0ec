"""`ltx-studio doctor`: what is installed, found and missing, and whether files and history agree."""

from ltx_studio.cli.hints import hint_of
from ltx_studio.cli.output import echo, echo_json, secho
from ltx_studio.settings import get_settings
from ltx_studio.studio.health import Finding, examine, forget_missing


def show_health(*, repair: bool, missing: int | None, as_json: bool) -> int:
    """Print the findings, and return 1 if a run could not work or files and history disagree.

    Args:
        repair: Repair the database and the history.
        missing: How many takes with a missing file to remove from the history.
        as_json: Print JSON.

    Raises:
        RequestError: The number of missing takes differs; nothing has changed.
    """
    settings = get_settings()
    if missing is not None:
        forget_missing(settings, missing)
    findings = list(examine(settings, repair=repair))
    if as_json:
        shown = [{"name": each.name, "good": each.good, "found": each.found, "hint": _hint(each)} for each in findings]
        echo_json(shown)
    else:
        for each in findings:
            secho("ok " if each.good else "!! ", nl=False, fg="green" if each.good else "red")
            echo(f" {each.name}: {each.found}")
            if each.problem is not None:
                echo(f"    {_hint(each)}")
    return 0 if all(each.good for each in findings) else 1


def _hint(finding: Finding) -> str:
    return "" if finding.problem is None else hint_of(finding.problem)
