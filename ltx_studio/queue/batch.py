"""Many requests at once: a sweep of seeds, or a file with a request in each line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ltx_studio import limits, sandbox
from ltx_studio.advice import Advice, Do
from ltx_studio.errors import RequestError
from ltx_studio.media.open import locate
from ltx_studio.models import Registry
from ltx_studio.modes import MAX_SEED, Params, UserLora, get_mode
from ltx_studio.queue.job_spec import JobSpec
from ltx_studio.queue.specs import Spec
from ltx_studio.queue.tables import OF_THE_REQUEST, read_rows, read_rows_or_lines, wrong_row

MOST = limits.TABLE_ROWS.most
"""The most requests in one batch."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_GROUPED = re.compile(r"[+-]?\d{1,3}\.\d{3}")


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row of a file of requests: the request, or what is wrong with it.

    Attributes:
        line: The line where it begins.
        spec: The request; None if it is wrong.
        problem: What is wrong; None if nothing is.
    """

    line: int
    spec: JobSpec | None
    problem: RequestError | None = None


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """A file of requests.

    Attributes:
        rows: Its rows.
        is_untitled: Whether it is a table without titles, of which each line is a prompt.
    """

    rows: tuple[CheckedRow, ...]
    is_untitled: bool


def sweep(spec: Spec, count: int) -> Iterator[Spec]:
    """Yield `count` requests with consecutive seeds, starting with the seed of `spec`."""
    for number in range(count):
        yield spec if not number else spec.with_seed(((spec.seed or 0) + number) % (MAX_SEED + 1))


def read_batch(
    path: Path,
    model_set: str,
    mode: str | None = None,
    preset: str | None = None,
    *,
    registry: Registry,
    with_files: bool = True,
    uploaded: bool = False,
) -> list[JobSpec]:
    """Return the requests of a file: JSON lines, a table, or prompts (see `read_rows`).

    Each has ``prompt`` and any other setting of the mode, and may set its own ``mode``, ``preset`` and ``model_set``.
    Relative paths start at the file's folder. LoRAs are a list of objects as in the API, or one text,
    ``FILE:STRENGTH; FILE``.

    Args:
        path: The file.
        model_set: The id of the model set for requests that name none.
        mode: The mode for requests that name none.
        preset: The preset for requests that name none.
        registry: The model sets that requests may name.
        with_files: Whether requests may name files on this machine.
        uploaded: Whether the file is an upload. The files that it names are not beside it, so their paths must be
            absolute.

    Raises:
        RequestError: The file cannot be read, or a request in it is wrong; names the line and the reason.
    """
    path = locate(path)
    rows = sandbox.read(read_rows, path)
    usual = {"mode": mode, "preset": preset, "model_set": model_set}
    folder = None if uploaded else path.parent
    return [_spec(line, row, usual, registry, path, folder, with_files=with_files) for line, row in rows]


def check_batch(
    path: Path, model_set: str, mode: str, preset: str | None = None, *, registry: Registry, with_files: bool = True
) -> CheckedTable:
    """Return every row of an uploaded file with its request or its problem; for the arguments see `read_batch`.

    Raises:
        RequestError: The file cannot be read, or has no rows.
    """
    path = locate(path)
    usual = {"mode": mode, "preset": preset, "model_set": model_set}
    rows, is_untitled = sandbox.read(read_rows_or_lines, path)
    checked = []
    for line, row in rows:
        try:
            if isinstance(row, RequestError):
                raise row
            spec = _spec(line, row, usual, registry, path, None, with_files=with_files)
            checked.append(CheckedRow(line, spec))
        except RequestError as error:
            checked.append(CheckedRow(line, None, error))
    return CheckedTable(tuple(checked), is_untitled)


def _spec(
    line: int,
    row: Mapping[str, Any],
    usual: Mapping[str, str | None],
    registry: Registry,
    path: Path,
    folder: Path | None,
    *,
    with_files: bool,
) -> JobSpec:
    of_request = {name: row.get(name, usual[name]) for name in OF_THE_REQUEST}
    for name in ("mode", "preset"):  # a table may say T2V
        if isinstance(of_request[name], str):
            of_request[name] = of_request[name].casefold()
    values = {name: value for name, value in row.items() if name not in OF_THE_REQUEST}
    mode = of_request["mode"]
    if mode is None:
        raise wrong_row(path, line, "it has no mode.", "Set its `mode`, such as t2v.", Advice.to(Do.NAME_MODE))
    try:
        if not with_files:
            _refuse_files(values, get_mode(str(mode)).media)
        for name in get_mode(str(mode)).media:
            if values.get(name):
                values[name] = _found(str(values[name]), name, folder)
        loras = values.get("loras")
        if isinstance(loras, str):
            values["loras"] = loras = [UserLora.written(each.strip()) for each in loras.split(";") if each.strip()]
        if isinstance(loras, list):
            values["loras"] = [{**lora, "file": _found(str(lora["file"]), "loras", folder)} for lora in loras]
        values = _with_decimal_points(values, get_mode(str(mode)).params)
        _refuse_grouped_digits(values, get_mode(str(mode)).params)
        model_set = registry.get_set(str(of_request["model_set"]))
        return JobSpec.from_request(str(mode), values, model_set, of_request["preset"])
    except RequestError as error:
        if error.advice is not None and error.advice.do is Do.GIVE_FILE:
            raise wrong_row(path, line, error.message, _how_to_give(error.advice, path)) from None
        raise wrong_row(path, line, error.message, error.hint, error.advice) from None
    except (KeyError, TypeError, ValueError):
        raise wrong_row(
            path, line, "its LoRAs are not valid.", "Write them as mine.safetensors:0.8; other.safetensors."
        ) from None


def _how_to_give(advice: Advice, path: Path) -> str:
    """Return how to name the missing file in a table."""
    column = f"Add a column `{dict(advice.given)['field']}` with its path."
    return f"{column} A .txt file has no columns: save it as .csv." if path.suffix.lower() == ".txt" else column


def _refuse_files(values: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in (*names, "loras"):
        if values.get(name):
            raise RequestError(
                f"It names a file for {name}, which is not allowed here.", "Use the API, which accepts uploads."
            )


def _found(named: str, name: str, folder: Path | None) -> Path:
    """Return the path of a file named for a parameter; relative paths start at `folder`, if there is one."""
    if folder is None and not Path(named).is_absolute():
        raise RequestError(
            f"It names {named!r} for {name}, but a relative path does not work in an uploaded table.",
            "Use an absolute path, such as /home/me/picture.png.",
        )
    path = Path(folder or "", Path(named).expanduser())
    if "\\" in named and not path.exists():  # written on Windows, read elsewhere
        path = Path(folder or "", named.replace("\\", "/"))
    return path


def _with_decimal_points(values: Mapping[str, Any], params: type[Params]) -> dict[str, Any]:
    """Return a request's values with ``1,5`` changed to ``1.5`` where a decimal number is expected."""
    return {
        name: value.replace(",", ".")
        if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value) and float in _types(name, params)
        else value
        for name, value in values.items()
    }


def _refuse_grouped_digits(values: Mapping[str, Any], params: type[Params]) -> None:
    """Refuse ``1.000`` for a whole number: it is 1 in one country and 1,000 in another."""
    for name, value in values.items():
        types = _types(name, params)
        if isinstance(value, str) and _GROUPED.fullmatch(value) and int in types and float not in types:
            said = f"{name} {value} could mean {int(float(value))} or {value.replace('.', '')}."
            raise RequestError(said, "Write it without a point.")


def _types(name: str, params: type[Params]) -> tuple[Any, ...]:
    field = params.model_fields.get(name)
    return () if field is None else (field.annotation, *get_args(field.annotation))
