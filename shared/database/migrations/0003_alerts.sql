-- Alerts: committed with the fact they tell of, mailed by the notifier, open until the fact is over.

create table alert (
    id bigint generated always as identity primary key,
    account text not null,
    kind text not null,
    subject text not null,                 -- what it is about: a variant, a session line, an account
    facts jsonb not null,
    revision integer not null default 1,   -- grows when something is added to an open alert
    raised_at timestamptz not null default now(),
    resolved_at timestamptz,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    claimed_at timestamptz,                -- a notifier has it in hand; alerts of one mail share it
    mailed_at timestamptz,
    failed_at timestamptz,                 -- the mail server refused it for ever
    dropped_at timestamptz,                -- it was over before anybody had to be told
    last_error text not null default ''
);
create unique index alert_one_open on alert (account, kind, subject) where resolved_at is null;
create index alert_to_mail on alert (next_attempt_at)
    where mailed_at is null and failed_at is null and dropped_at is null;

-- Mails that were accepted for delivery; their pace is what keeps a flood of alerts from being a flood of mails.
create table mail (
    message_id text primary key,
    alerts integer not null,
    sent_at timestamptz not null default now()
);
create index mail_sent on mail (sent_at);
