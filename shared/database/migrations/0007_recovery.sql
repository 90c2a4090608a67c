-- Sales that no webhook told of: why, how late they were booked, and what told people.
alter table sale
    add column reason text not null default '',   -- why recovery had to find it, in words; '' where it had not
    add column delay interval,                    -- from its payment to its booking, of recovered sales
    add column alert_id bigint,                   -- the alert that told people of its recovery
    add column unlisted_since timestamptz;        -- booked, but Stripe does not show it as paid
create index sale_made on sale (account, created_at);
create index sale_untold on sale (account) where reason <> '' and alert_id is null;
create index sale_told on sale (alert_id) where alert_id is not null;

-- When the event's webhook last came; null where only recovery told of it. Those from before count as come just now.
alter table delivery add column arrived_at timestamptz default now();
create index delivery_arrived on delivery (account, arrived_at)
    where arrived_at is not null and type like 'checkout.session.%';

-- Up to when Stripe's undelivered events were looked through.
create table recovery (
    account text primary key,
    events_until timestamptz not null
);
