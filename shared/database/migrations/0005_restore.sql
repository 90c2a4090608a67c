-- After a restored backup this database goes on under a new installation id; what the former ones wrote stays ours.
alter table installation
    add column former text [] not null default '{}',
    add column restored_at timestamptz;

alter table product
    add column recover boolean not null default false,    -- Stripe's event log knows of writes that a restored backup forgot
    add column take_over boolean not null default false;  -- a person said that Stripe's numbers are right as they stand

-- Writes whose own event has not come yet.
create index write_expects_event on write (planned_at) where landed and not digested and not looked_up;
