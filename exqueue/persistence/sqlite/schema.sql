-- Everything in the file: layout 1. Executed once, in one transaction, when the file is made.
-- Times are seconds since the Unix epoch, but for those of leases and beats: these are read on the clock that `boot`
-- names (exqueue.persistence.sqlite.host_time).

-- What file this is. `needs`: the oldest version of Exqueue that knows its layout. `store` is drawn when it is made, so that another file in its place is noticed.
CREATE TABLE meta (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  layout INTEGER NOT NULL,
  needs TEXT NOT NULL,
  store TEXT NOT NULL
) STRICT;

-- A queue, and what its owner wrote of it. `token` is NULL until somebody claims it. `refused`: the positions that the
-- last call refused, comma between. `known`: it was pushed to, claimed or paused. `ready`, `waiting`, `running`, `dead`: how
-- many jobs there are of each, kept in the transactions that move them, since counting a million takes 0.1 s.
CREATE TABLE queues (
  key INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  known INTEGER NOT NULL DEFAULT 0,
  paused INTEGER NOT NULL DEFAULT 0,
  epoch INTEGER NOT NULL DEFAULT 0,
  token TEXT,
  seat INTEGER NOT NULL DEFAULT 0,
  call INTEGER NOT NULL DEFAULT 0,
  refused TEXT NOT NULL DEFAULT '',
  hungry INTEGER NOT NULL DEFAULT 0,
  next_due REAL,
  serial INTEGER NOT NULL DEFAULT 0,
  head TEXT,
  places INTEGER NOT NULL DEFAULT 0,
  processed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  ready INTEGER NOT NULL DEFAULT 0,
  waiting INTEGER NOT NULL DEFAULT 0,
  running INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  UNIQUE (namespace, name)
) STRICT;

-- A job is one row, and its state one column of it: it can't be in two states, nor in none.
-- `state` and what `rank` then is: 0 ready, the order of coming; 1 returned and 2 suspect, its place; 3 waiting, when it
-- is due; 4 dead, when it died; 5 running, its place. `run` is there while it runs: place|seat|call|started_ms.
-- `recovered`: the times of its recoveries, comma between. `unreported`: of a dead job, the run that buried it, until
-- its ERROR is in the log. (Added within layout 1: an older version leaves it alone.)
CREATE TABLE jobs (
  queue INTEGER NOT NULL,
  id TEXT NOT NULL,
  state INTEGER NOT NULL,
  rank REAL NOT NULL,
  run BLOB,
  recovered TEXT,
  trail BLOB,
  record BLOB NOT NULL,
  unreported BLOB,
  PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;

-- The lines of a queue; equal ranks stand in the order of the ids, which end each entry of this index. (Queries say
-- INDEXED BY where SQLite would otherwise read all jobs of the queue: it keeps no statistics here.)
CREATE INDEX lines ON jobs (queue, state, rank);
CREATE INDEX recovered ON jobs (queue) WHERE recovered IS NOT NULL;
CREATE INDEX unreported ON jobs (queue) WHERE unreported IS NOT NULL;

-- The last number of a caller in a queue, and what it was answered (JSON).
CREATE TABLE callers (
  queue INTEGER NOT NULL,
  caller TEXT NOT NULL,
  n INTEGER NOT NULL,
  reply TEXT NOT NULL,
  until REAL NOT NULL,
  PRIMARY KEY (queue, caller)
) STRICT, WITHOUT ROWID;

-- The lock of a namespace: the last fence, and the lease (NULL when there is none).
CREATE TABLE locks (
  namespace TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  token TEXT,
  lease_epoch INTEGER,
  lease_token TEXT,
  lease_node TEXT,
  lease_until REAL,
  lease_boot TEXT,
  renewals INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE nodes (
  namespace TEXT NOT NULL,
  node TEXT NOT NULL,
  info BLOB NOT NULL,
  until REAL NOT NULL,
  boot TEXT NOT NULL,
  PRIMARY KEY (namespace, node)
) STRICT, WITHOUT ROWID;

-- The last signal about each queue (and, under the name '!released', about the lock): whoever listens has heard all
-- numbers up to one of them. One row a name, so that it can't grow without bound.
CREATE TABLE signals (
  number INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (namespace, name)
) STRICT;
