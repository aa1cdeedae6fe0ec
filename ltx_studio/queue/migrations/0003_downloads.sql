CREATE TABLE downloads (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    cache TEXT NOT NULL, -- the folder that they go to
    files TEXT NOT NULL CHECK (json_valid(files)), -- their keys in the registry
    damaged TEXT CHECK (damaged IS NULL OR json_valid(damaged)), -- of a repair: identities of the copies to replace
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    attempts INTEGER NOT NULL DEFAULT 0, -- since the last new byte
    stopping INTEGER NOT NULL DEFAULT 0,
    others INTEGER NOT NULL DEFAULT 0, -- further requests for it: it goes on for them when one is withdrawn
    progress TEXT CHECK (progress IS NULL OR json_valid(progress)),
    error TEXT CHECK (error IS NULL OR json_valid(error)),
    worker TEXT, -- who carries it out; of one that waits: the only one who may
    lease_until REAL -- seconds since the epoch; the worker renews it
) STRICT;

CREATE INDEX downloads_unended ON downloads (number) WHERE state IN ('queued', 'running');
