-- Up to when paid sessions were compared, and which sales recovery has told the stock worker of.
alter table recovery add column sessions_until timestamptz; -- null: never
update recovery set sessions_until = events_until;

create table recovery_told (
    account text not null,
    session_id text not null,
    told_at timestamptz not null default now(),
    primary key (account, session_id)
);
create index recovery_told_at on recovery_told (told_at);

-- When the alert of findings first told of one; null: not yet. Those from before count as told.
alter table finding add column told_at timestamptz;
update finding set told_at = last_seen_at;
