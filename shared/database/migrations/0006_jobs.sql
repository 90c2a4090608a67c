-- What the clock planned or a person asked for, and what became of it.
create table job_run (
    account text not null,
    job text not null,
    planned_at timestamptz not null,
    state text not null default 'planned' check (state in ('planned', 'running', 'done', 'failed', 'skipped')),
    actor text not null,                   -- 'schedule', or who asked
    reason text not null default '',
    hinted_at timestamptz not null default now(), -- when its message was last published
    started_at timestamptz,
    finished_at timestamptz,
    figures jsonb not null default '{}',   -- what it did, as numbers and words for people
    error text not null default '',
    primary key (account, job, planned_at)
);
create index job_run_unfinished on job_run (hinted_at) where state in ('planned', 'running');

-- When the reconciler that looked last runs which job; for people to read.
create table job_schedule (
    account text not null,
    job text not null,
    times text not null,                   -- five cron fields
    zone text not null,                    -- the time zone they are read in
    next_at timestamptz not null,
    primary key (account, job)
);
