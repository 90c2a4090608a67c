-- Sales as they were booked, sales that wait for a person, and the delivery log.

create table sale (
    account text not null,
    session_id text not null,
    origin text not null,                  -- webhook, recovery, operator
    event_id text,
    created_at timestamptz not null,       -- when Stripe says the session or its event was made
    booked_at timestamptz not null default now(),
    lines integer not null,
    unplaced integer not null default 0,
    primary key (account, session_id)
);

create table unplaced_sale (
    id bigint generated always as identity primary key,
    account text not null,
    session_id text not null,
    line_item_id text not null,
    source_key text not null unique,       -- the key its movement will have once it is placed
    product_id text,
    size_hint text,
    quantity bigint not null,
    reason text not null,
    state text not null default 'open' check (state in ('open', 'placed', 'dismissed')),
    created_at timestamptz not null default now(),
    resolved_at timestamptz,
    resolved_by text
);
create index unplaced_open on unplaced_sale (account, created_at) where state = 'open';

create table delivery (
    account text not null,
    event_id text not null,
    type text not null,
    outcome text not null,
    created_at timestamptz not null,
    first_handled_at timestamptz not null default now(),
    handled integer not null default 1,
    primary key (account, event_id)
);
