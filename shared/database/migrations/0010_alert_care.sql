-- What people heard of an alert besides that it began, and what they said about it.
alter table alert add column told_at timestamptz;      -- first mailed; null: nobody ever heard of it
alter table alert add column over_told_at timestamptz; -- people heard that it is over
alter table alert add column acknowledged_at timestamptz;
alter table alert add column acknowledged_by text not null default '';
alter table alert add column snoozed_until timestamptz;
alter table alert add column pushed_at timestamptz;    -- handed to a chat or phone service beside mail

-- What was over before this version came is no news. A claim ends with its mail from now on.
update alert set told_at = mailed_at, over_told_at = resolved_at, claimed_at = null where mailed_at is not null;

-- What people must still hear: that it is there, or that it is over.
create view untold_alert as
select id, revision, account, kind, subject, facts, raised_at, resolved_at, attempts, next_attempt_at, claimed_at,
    mailed_at, told_at, snoozed_until
from alert
where failed_at is null and dropped_at is null and over_told_at is null
    and (mailed_at is null or resolved_at is not null)
    and (mailed_at is not null or acknowledged_at is null)
    and (snoozed_until is null or snoozed_until <= now());
create index alert_untold on alert (kind)
    where failed_at is null and dropped_at is null and over_told_at is null
        and (mailed_at is null or resolved_at is not null);
-- squawk-ignore require-concurrent-index-deletion
drop index alert_to_mail; -- small: it held only what waits
create index alert_to_push on alert (kind) where pushed_at is null and resolved_at is null;

-- Each mailing list has a pace of its own.
alter table mail add column mailing_list text not null default '';

-- How fast a size sells, read for every mail about low stock.
create index movement_sold on movement (account, product_id, size, at) include (delta) where kind = 'sale';
