-- The ledger and what is known of Stripe. Every key begins with the account key.

-- One row: who writes the markers. A restored database gets a new id before it may write.
create table installation (
    only_one boolean primary key default true check (only_one),
    id text not null check (id ~ '^[a-z0-9]{1,32}$'),
    created_at timestamptz not null default now()
);

create table product (
    account text not null,
    id text not null,
    name text not null default '',
    state text not null default 'tracked' check (state in ('tracked', 'untracked', 'quarantined', 'closed')),
    state_reason text not null default '',
    threshold integer check (threshold >= 0),
    version bigint not null default 0,     -- grows with every observation and write; sync's compare-and-set
    dirty_since timestamptz,               -- null: nothing to sync
    synced_at timestamptz,
    primary key (account, id)
);
create index product_dirty on product (dirty_since) where dirty_since is not null;

create table variant (
    account text not null,
    product_id text not null,
    size text not null,                    -- '' where the product has no sizes
    on_hand bigint not null default 0,     -- sum of the movements' deltas, kept by the trigger below
    state text not null default 'managed'  -- as last observed: a canonical number, anything else, or no key
        check (state in ('managed', 'unreadable', 'missing')),
    opened boolean not null default false, -- Stripe's number was adopted once
    threshold integer check (threshold >= 0),
    primary key (account, product_id, size),
    foreign key (account, product_id) references product (account, id)
);

create table movement (
    id bigint generated always as identity primary key,
    account text not null,
    product_id text not null,
    size text not null,
    delta bigint not null,
    kind text not null,
    source_key text not null unique,
    session_id text,
    event_id text,
    actor text not null,
    reason text not null default '',
    at timestamptz not null default now(),
    foreign key (account, product_id, size) references variant (account, product_id, size)
);
create index movement_variant on movement (account, product_id, size, id);
create index movement_session on movement (account, session_id) where session_id is not null;

create function movement_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'movements are append-only';
end $$;
create trigger movement_append_only before update or delete on movement
    for each statement execute function movement_is_append_only();
create trigger movement_never_truncated before truncate on movement
    for each statement execute function movement_is_append_only();

-- The balance follows the ledger in the same statement, whoever writes it. The rows are locked in order first, so
-- that two writers of several variants cannot deadlock.
create function movement_moves_balance() returns trigger language plpgsql as $$
begin
    perform 1 from variant v
    where exists (
        select 1 from inserted m
        where (v.account, v.product_id, v.size) = (m.account, m.product_id, m.size)
    )
    order by v.account, v.product_id, v.size
    for no key update;
    update variant v set on_hand = v.on_hand + m.delta
    from (
        select account, product_id, size, sum(delta) as delta
        from inserted group by account, product_id, size
    ) m
    where (v.account, v.product_id, v.size) = (m.account, m.product_id, m.size);
    return null;
end $$;
create trigger movement_balance after insert on movement
    referencing new table as inserted
    for each statement execute function movement_moves_balance();

-- Write n of a product, committed before its POST.
create table write (
    account text not null,
    product_id text not null,
    rev bigint not null,
    installation text not null,
    idempotency_key text not null unique,
    body json not null,                    -- the exact metadata sent, in its order
    marker text not null,
    target jsonb not null,                 -- size -> units
    base_marker text not null,             -- '' before our first write
    base_values jsonb not null,            -- size -> units, as observed before the write
    state text not null check (state in ('PENDING', 'APPLIED', 'SETTLED', 'CANCELLED', 'REJECTED')),
    landed boolean not null default false, -- its marker or its event was seen in Stripe
    digested boolean not null default false,
    looked_up boolean not null default false, -- SETTLED: the event log was read since
    answer text not null default '',
    planned_at timestamptz not null default now(),
    settled_at timestamptz,
    primary key (account, product_id, rev),
    foreign key (account, product_id) references product (account, id)
);
create index write_marker on write (account, marker);
create unique index write_one_pending on write (account, product_id) where state = 'PENDING';

-- K(m): the managed values seen under marker m, first at birth, last at the latest look.
create table known_state (
    id bigint generated always as identity primary key,
    account text not null,
    product_id text not null,
    marker text not null,                  -- '' before our first write
    units jsonb not null,
    at timestamptz not null default now(),
    foreign key (account, product_id) references product (account, id)
);
create index known_state_marker on known_state (account, product_id, marker, id);
