-- Pages of refunds, newest first, those that were decided too.
-- squawk-ignore require-concurrent-index-creation
create index refund_newest on refund (account, proposed_at desc, refund_id);
