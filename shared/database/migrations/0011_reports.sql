-- What people look back at: the ledger by time, who bought, the feed of movements, and the weekly report.

create index movement_of_product on movement (account, product_id, at);
create index movement_by_time on movement (account, at, id);

-- A movement's transaction has its number before the movement has its id: so, once all transactions numbered until
-- now are over, no smaller id than the greatest one seen now can still come up. The feed relies on it.
create function movement_numbers_transaction() returns trigger language plpgsql as $$
begin
    perform pg_current_xact_id();
    return null;
end $$;
create trigger movement_numbered before insert on movement
    for each statement execute function movement_numbers_transaction();

-- Up to which movement a feed has told, all of them confirmed by the broker.
create table feed_position (
    account text not null,
    feed text not null,
    last_id bigint not null,
    primary key (account, feed)
);

alter table sale
    add column skipped integer,            -- lines that take no stock; null: booked before it was noted
    add column customer text;              -- Stripe's id of who bought, cus_…, if there is one
create index sale_customer on sale (account, customer) where customer is not null;

-- Who bought, where the shop wants it kept; erased by customer.
create table customer (
    account text not null,
    session_id text not null,
    name text,
    email text,
    primary key (account, session_id)
);
create index unplaced_session on unplaced_sale (account, session_id);
create index customer_email on customer (account, lower(email));

create table report (
    id bigint generated always as identity primary key,
    account text not null,
    planned_at timestamptz not null,       -- the run of the job that made it
    begins_at timestamptz not null,
    ends_at timestamptz not null,
    made_at timestamptz not null default now(),
    data jsonb not null,                   -- the figures, as the mail shows them
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    claimed_at timestamptz,                -- a notifier has it in hand
    mailed_at timestamptz,
    failed_at timestamptz,                 -- the mail server refused it for ever
    last_error text not null default '',
    unique (account, planned_at)
);
create index report_to_mail on report (next_attempt_at) where mailed_at is null and failed_at is null;
