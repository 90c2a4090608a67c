-- Who may use the web pages, who is logged in, and who tried too often.
create table person (
    name text primary key check (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
    role text not null check (role in ('viewer', 'operator')),
    password text not null,                -- salted scrypt, never the password
    created_at timestamptz not null default now()
);

create table web_session (
    token bytea primary key,               -- sha256 of what the browser holds
    person text not null references person (name) on delete cascade,
    csrf text not null,
    notice text not null default '',       -- shown once, on the next page
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now()
);
create index web_session_person on web_session (person);
create index web_session_created on web_session (created_at);

create table login_failure (
    subject text primary key,              -- 'name:…' or 'address:…'
    failures integer not null,
    last_at timestamptz not null default now(),
    blocked_until timestamptz
);
create index login_failure_last on login_failure (last_at);

-- The latest write to Stripe, for the pages.
-- squawk-ignore require-concurrent-index-creation
create index write_settled on write (account, settled_at) where settled_at is not null;
