-- What was taken off sale because it is gone. A row is open until the object may be stopped anew.
create table selling_stop (
    id bigint generated always as identity primary key,
    account text not null,
    offer text not null check (offer in ('link', 'product')),
    object text not null,                  -- the payment link's or the product's id
    product_id text not null,              -- what is gone: this size of it, '' for all that it has
    size text not null,
    state text not null default 'planned'
        check (state in ('planned', 'stopped', 'resuming', 'resumed', 'left', 'forgotten')),
    why text not null default '',
    wanted_by text not null default '',    -- who wants it back on sale, in stock or not
    key text not null unique,              -- our calls' idempotency keys begin with it
    attempt integer not null default 1,    -- and end with this: one that is spent is of no more use
    failures integer not null default 0,
    retry_at timestamptz not null default now(),
    planned_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    ended_at timestamptz
);
create unique index selling_stop_open on selling_stop (account, object) where ended_at is null;
create index selling_stop_changed on selling_stop (account, changed_at);

-- An open Checkout Session that was expired because what it holds is gone; `over`: it was not open any more.
create table expired_session (
    account text not null,
    session_id text not null,
    product_id text not null,
    size text not null,
    state text not null default 'planned' check (state in ('planned', 'expired', 'over')),
    planned_at timestamptz not null default now(),
    ended_at timestamptz,
    primary key (account, session_id)
);
create index expired_session_planned on expired_session (account, planned_at);
