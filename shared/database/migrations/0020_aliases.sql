-- What people taught: that a line which says this means that size; and what a held line said, to be recognised by.
alter table unplaced_sale
    add column line_name text not null default '',      -- as the sale called the line
    add column vague boolean not null default false;    -- sizes were named, but not of which line: nothing to learn from
update unplaced_sale set vague = true where size_hint is null; -- nobody kept what else the session said

create table alias (
    id bigint generated always as identity primary key,
    account text not null,
    told_product text not null,            -- Stripe's id as the sale named it; '' where it named none
    told_name text not null,               -- else what the line was called, normalized; '' beside a product
    told_size text not null,               -- the size as it was told; '' where none was
    product_id text not null,              -- what is meant
    size text not null,
    by text not null,
    at timestamptz not null default now(),
    forgotten_at timestamptz,              -- kept: movements name the alias that placed them
    forgotten_by text,
    foreign key (account, product_id, size) references variant (account, product_id, size)
);
create unique index alias_told on alias (account, told_product, told_name, told_size) where forgotten_at is null;
