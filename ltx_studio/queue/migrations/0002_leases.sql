ALTER TABLE jobs ADD COLUMN worker TEXT; -- who carries it out, or did last

ALTER TABLE jobs ADD COLUMN lease_until REAL; -- seconds since the epoch; the worker renews it

ALTER TABLE jobs ADD COLUMN unused_since REAL; -- when its take was deleted

UPDATE jobs SET unused_since = CAST(strftime('%s', 'now') AS REAL)
WHERE state = 'done' AND NOT EXISTS (SELECT 1 FROM takes WHERE takes.job = jobs.id);

CREATE INDEX jobs_unused ON jobs (unused_since) WHERE unused_since IS NOT NULL;
