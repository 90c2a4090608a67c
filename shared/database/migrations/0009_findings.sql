-- What a verification found: one row while it lasts, and what became of it.
create table finding (
    id bigint generated always as identity primary key,
    account text not null,
    subject text not null,                 -- a variant, a product or a session
    cause text not null,
    product_id text not null default '',
    size text not null default '',
    name text not null default '',
    detail text not null default '',       -- what was seen, in words
    state text not null default 'open' check (state in ('open', 'acknowledged', 'resolved')),
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    acknowledged_at timestamptz,
    acknowledged_by text not null default '',
    resolved_at timestamptz,
    resolved_by text not null default '',
    resolution text not null default '',
    check ((state = 'resolved') = (resolved_at is not null))
);
create unique index finding_once on finding (account, subject, cause) where state <> 'resolved';
create index finding_latest on finding (account, id);

-- A look at a product that changes nothing: asked for by a verification, taken by the stock worker under the product's lock.
create table product_look (
    account text not null,
    check_id text not null,                -- one run's own
    product_id text not null,
    look integer not null,
    seen jsonb not null,
    at timestamptz not null default now(),
    primary key (account, check_id, product_id, look)
);
create index product_look_at on product_look (at);
