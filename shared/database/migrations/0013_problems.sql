-- Problems that a process without a database noticed have no fact that ends: they end when nobody notices them any more.
alter table alert add column seen_at timestamptz; -- noticed again; null: another fact than silence ends it

-- Whoever upgrades has no word yet of when these were noticed last.
update alert set seen_at = now()
where kind in ('broker_refused', 'livemode_mismatch', 'unknown_account') and resolved_at is null;
