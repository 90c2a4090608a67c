-- When Stripe says it executed a write (its event's `created`): from there on the event log tells what came after.
alter table write add column executed_at timestamptz;
