-- Problems that a process without a database noticed have no fact that ends: they end when nobody notices them any more.
alter table alert add column seen_at timestamptz; -- noticed again; null: another fact than silence ends it

-- Whoever upgrades has no word yet of when these were noticed last.
update alert set seen_at = now()
where kind in ('broker_refused', 'livemode_mismatch', 'unknown_account') and resolved_at is null;

-- An oversold alert names the newest of its sales, and counts all.
update alert set facts = facts || jsonb_build_object(
    'short', (
        select coalesce(sum((sale->>'units')::bigint), 0) from jsonb_array_elements(facts->'sales') as told (sale)
    ),
    'sold', jsonb_array_length(facts->'sales')
)
where kind = 'oversold' and jsonb_typeof(facts->'sales') = 'array';
