"""The queue with 1,000 jobs and the history with 10,000 takes, against a hundredth of each.

make bench
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ltx_studio.queue.database import Database
from ltx_studio.queue.queue import Queue
from ltx_studio.takes.history import History
from ltx_studio.takes.records import NewTake

OWNER, TIMES = "bench", 40
SPEC = ("t2v", {"prompt": "a red circle moves right on a gray background", "seed": 1})


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        few, many = waiting(Path(scratch), 10), waiting(Path(scratch), 1_000)
        last, first = many.of(OWNER)[-1].id, few.of(OWNER)[-1].id
        compare("1,000 jobs: submit one", lambda: submit(many), lambda: submit(few))
        compare("1,000 jobs: list", lambda: many.of(OWNER), lambda: few.of(OWNER))
        compare(
            "1,000 jobs: move the last to the front",
            lambda: many.move(last, OWNER, 0),
            lambda: few.move(first, OWNER, 0),
        )
        small, large = takes(Path(scratch), 100), takes(Path(scratch), 10_000)
        for search in ("", "circle", "number77", "nothing", "re"):
            what = f"search {search!r}" if search else "first page"
            compare(
                f"10,000 takes: {what}",
                lambda words=search: large.page(OWNER, search=words),  # type: ignore[misc]
                lambda words=search: small.page(OWNER, search=words),  # type: ignore[misc]
            )


def waiting(folder: Path, count: int) -> Queue:
    queue = Queue(Database(folder / f"jobs-{count}.db"))
    queue.submit(OWNER, [SPEC] * count)
    return queue


def submit(queue: Queue) -> None:
    (job,) = queue.submit(OWNER, [SPEC])
    queue.cancel(job, OWNER)


def takes(folder: Path, count: int) -> History:
    database = Database(folder / f"takes-{count}.db")
    with database.write() as connection:
        connection.execute("INSERT INTO owners (id) VALUES (?)", (OWNER,))
        for number in range(count):
            prompt = f"a {('red circle', 'blue square')[number % 2]} moves right, number{number}"
            recipe = {"params": {"prompt": prompt, "seed": number}}
            take = NewTake(f"t{number}", f"t{number}", OWNER, "t2v", float(number), "f.mp4", 1, prompt, recipe, {})
            take.insert(connection)
    return History(database, folder, folder)


def compare(what: str, many: Callable[[], object], few: Callable[[], object]) -> None:
    """Print the milliseconds of both, and their ratio."""
    large, small = median(many), median(few)
    print(f"{what:45} {large:8.2f} ms, of a hundredth {small:6.2f} ms: {large / small:6.1f} times")


def median(run: Callable[[], object]) -> float:
    found = []
    for _ in range(TIMES):
        began = time.perf_counter()
        run()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


if __name__ == "__main__":
    main()
