-- The pace of all processes' calls to one Stripe account, what Stripe thinks of it, and how many calls there were.

create table stripe_pace (
    account text not null,
    endpoint text not null,                -- 'GET products/id'; '' for all calls together
    free_at timestamptz not null default '-infinity', -- when the next evenly spaced call would be due
    turns timestamptz[] not null default '{}', -- endpoint '': turns handed out that are not over yet
    level integer not null default 0 check (level >= 0), -- how often in a row Stripe asked for fewer calls
    held_until timestamptz not null default '-infinity', -- no turn before, because Stripe asked for it
    refusal text,                          -- why Stripe refuses these calls; null where it does not
    probe_at timestamptz,                  -- when one caller may try whether it still does
    primary key (account, endpoint),
    check ((refusal is null) = (probe_at is null))
) with (fillfactor = 50);

create table stripe_usage (
    account text not null,
    month date not null,                   -- its first day, in UTC
    reads bigint not null default 0,
    writes bigint not null default 0,
    primary key (account, month)
) with (fillfactor = 50);

create index sale_booked on sale (account, booked_at);

-- Reserve the next turn and count the call, by this server's clock and in the order of asking. Rates are calls a
-- second. `wait` is in seconds; where `refused` is not null there is no turn, and nothing must be sent.
-- Called alone, outside of any transaction: whoever holds it up holds up everybody.
create function stripe_turn(
    for_account text, for_endpoint text, is_write boolean,
    per_endpoint double precision, overall double precision, burst integer, probe_seconds double precision,
    out wait double precision, out slowed boolean, out probe boolean, out refused text
) language plpgsql as $$
declare
    gap interval := make_interval(secs => 1 / per_endpoint);
    gap_of_all interval := make_interval(secs => 1 / overall);
    at timestamptz;
    latest timestamptz;                    -- what lies beyond was written before the clock was put back
    here stripe_pace;
    everywhere stripe_pace;
    turn timestamptz;
    taken timestamptz;
begin
    perform set_config('synchronous_commit', 'off', true); -- a crash may forget the last turns
    perform pg_advisory_xact_lock(hashtextextended('stripe_pace ' || for_account, 0)); -- a queue, first come first served
    insert into stripe_pace (account, endpoint) values (for_account, ''), (for_account, for_endpoint)
    on conflict do nothing;
    select * into here from stripe_pace p where p.account = for_account and p.endpoint = for_endpoint;
    select * into everywhere from stripe_pace p where p.account = for_account and p.endpoint = '';
    at := clock_timestamp();

    if everywhere.probe_at between at and at + make_interval(secs => probe_seconds) then
        refused := everywhere.refusal;
    elsif here.probe_at between at and at + make_interval(secs => probe_seconds) then
        refused := here.refusal;
    end if;
    if refused is not null then
        return;
    end if;

    latest := at + interval '1 minute' + 200 * greatest(gap, gap_of_all);
    slowed := here.level > 0 or everywhere.level > 0;
    probe := here.refusal is not null or everywhere.refusal is not null;
    here.free_at := least(here.free_at, latest);
    turn := greatest(
        at,
        here.free_at - case when slowed then 0 else burst - 1 end * gap,
        least(here.held_until, latest),
        least(everywhere.held_until, latest)
    );
    loop                                   -- the first gap between the turns of all endpoints
        select max(r) into taken from unnest(everywhere.turns) r
        where r > turn - gap_of_all and r < turn + gap_of_all and r < latest;
        exit when taken is null;
        turn := taken + gap_of_all;
    end loop;
    update stripe_pace p set free_at = greatest(here.free_at, turn) + gap
    where p.account = for_account and p.endpoint = for_endpoint;
    update stripe_pace p set turns = turn || array(
        select r from unnest(everywhere.turns) r where r > at - gap_of_all and r < latest
    )
    where p.account = for_account and p.endpoint = '';
    if probe then
        update stripe_pace p set probe_at = at + make_interval(secs => probe_seconds)
        where p.account = for_account and p.endpoint in ('', for_endpoint) and p.refusal is not null;
    end if;
    insert into stripe_usage as u (account, month, reads, writes)
    values (for_account, date_trunc('month', at at time zone 'UTC')::date, (not is_write)::integer, is_write::integer)
    on conflict (account, month) do update
    set reads = u.reads + excluded.reads, writes = u.writes + excluded.writes;
    wait := extract(epoch from turn - clock_timestamp());
end $$;
