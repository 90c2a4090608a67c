-- Snapshots: what Stripe showed of every product at one time, and who wanted to know it why.
create table snapshot (
    id bigint generated always as identity primary key,
    account text not null,
    planned_at timestamptz not null,       -- the run of the job that took it
    actor text not null,
    reason text not null default '',
    started_at timestamptz not null default now(),
    finished_at timestamptz,               -- null: not all was read, so nobody is shown it
    products bigint not null default 0,    -- with stock keys
    sizes bigint not null default 0,       -- rows
    units bigint not null default 0,       -- of all sizes whose value is a number
    low bigint not null default 0,         -- sizes
    out_of_stock bigint not null default 0,
    not_a_number bigint not null default 0,
    no_value bigint not null default 0
);
create index snapshot_finished on snapshot (account, finished_at) where finished_at is not null;

create table snapshot_row (
    snapshot_id bigint not null references snapshot (id) on delete cascade,
    product_id text not null,
    size text not null,                    -- '' where the product has no sizes
    name text not null,
    active boolean not null,               -- false: archived
    value text,                            -- as Stripe showed it; null: the size is listed but has no key
    units bigint,                          -- null: the value is no plain whole number, or there is none
    status text not null check (
        status in ('OUT OF STOCK', 'LOW STOCK', 'IN STOCK', 'NOT A NUMBER', 'NO VALUE')
    ),
    primary key (snapshot_id, product_id, size)
);
