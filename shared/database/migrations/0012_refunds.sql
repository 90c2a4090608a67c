-- Money that went back, and what a person makes of it: a refund never changes stock by itself.
create table refund (
    account text not null,
    refund_id text not null,               -- Stripe's re_…
    session_id text not null,
    kind text not null check (kind in ('full', 'partial')),
    likeness text not null check (likeness in ('all', 'exact', 'likely', 'unknown')),
    amount bigint not null,                -- in the currency's smallest unit
    currency text not null,
    state text not null default 'open' check (state in ('open', 'accepted', 'dismissed', 'void')),
    proposed_at timestamptz not null default now(),
    decided_at timestamptz,
    decided_by text,                       -- a person; 'stocksync' where nobody was asked
    reason text not null default '',
    primary key (account, refund_id)
);
create index refund_open on refund (account, proposed_at) where state = 'open';
create index refund_session on refund (account, session_id);

create table refund_line (
    account text not null,
    refund_id text not null,
    line_item_id text not null,
    product_id text not null,
    size text not null,
    sold integer not null check (sold > 0),
    proposed integer not null check (proposed >= 0),
    returned integer not null default 0 check (returned >= 0), -- what a person said came back
    primary key (account, refund_id, line_item_id),
    foreign key (account, refund_id) references refund (account, refund_id)
);
