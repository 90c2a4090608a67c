-- Pages of the journal, newest first: what is rare among a million sales is found without reading those.
-- squawk-ignore require-concurrent-index-creation
create index movement_no_sale on movement (account, kind, at, id) where kind <> 'sale';
-- squawk-ignore require-concurrent-index-creation
create index sale_recovered on sale (account, booked_at, session_id) where origin = 'recovery';
