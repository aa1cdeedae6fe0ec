CREATE TABLE owners (
    id TEXT PRIMARY KEY,
    served INTEGER NOT NULL DEFAULT 0, -- number of the turn that it had last
    paused INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL REFERENCES owners (id),
    batch TEXT,
    mode TEXT NOT NULL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    place INTEGER NOT NULL, -- in its owner's line
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    stopping INTEGER NOT NULL DEFAULT 0,
    progress TEXT CHECK (progress IS NULL OR json_valid(progress)),
    error TEXT CHECK (error IS NULL OR json_valid(error))
) STRICT;

CREATE INDEX jobs_in_line ON jobs (owner, place) WHERE state = 'queued';

CREATE INDEX jobs_running ON jobs (state) WHERE state = 'running';

CREATE INDEX jobs_of_owner ON jobs (owner, number);

CREATE TABLE takes (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL REFERENCES owners (id),
    mode TEXT NOT NULL,
    created REAL NOT NULL,
    file TEXT NOT NULL, -- below the folder of outputs
    bytes INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    recipe TEXT NOT NULL CHECK (json_valid(recipe)),
    measured TEXT NOT NULL CHECK (json_valid(measured)),
    favourite INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    leaving INTEGER NOT NULL DEFAULT 0 -- its files are being deleted
) STRICT;

CREATE INDEX takes_of_owner ON takes (owner, number) WHERE NOT leaving;

CREATE INDEX takes_of_mode ON takes (owner, mode, number) WHERE NOT leaving;

CREATE INDEX takes_favourite ON takes (owner, number) WHERE favourite AND NOT leaving;

CREATE INDEX takes_leaving ON takes (number) WHERE leaving;

CREATE VIRTUAL TABLE takes_words USING fts5 (words, tokenize = 'trigram');
