"""How long job rows are kept: until nothing that a user can see needs them."""

import time

from ltx_studio.queue.database import Database

JOB_SECONDS = 90 * 24 * 3600
"""How long a job's row stays after its take was deleted, or after it failed or was cancelled."""


def forget_jobs(database: Database) -> int:
    """Delete the rows of jobs that ended long ago and have no take; return how many.

    Their inputs are freed by `unused_inputs.free`, as nothing refers to them any more.

    Raises:
        sqlite3.Error: The database cannot be used; nothing is deleted.
    """
    limit = time.time() - JOB_SECONDS
    with database.write() as connection:
        return connection.execute(
            "DELETE FROM jobs WHERE NOT EXISTS (SELECT 1 FROM takes WHERE takes.job = jobs.id) AND ("
            " (state = 'done' AND unused_since < ?)"
            " OR (state IN ('failed', 'cancelled') AND coalesce(ended, created) < ?))",
            (limit, limit),
        ).rowcount
