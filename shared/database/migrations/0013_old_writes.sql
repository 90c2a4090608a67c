-- What a sync asks of a product's writes must not cost what the product has ever been written.
create index write_unexplained on write (account, product_id)
    where not digested and not looked_up and (landed or state = 'SETTLED');
create index write_undigested on write (account, product_id, rev) where landed and not digested;

-- The sum of a size's movements is read from the index alone.
create index movement_sum on movement (account, product_id, size, id) include (delta);
-- squawk-ignore require-concurrent-index-deletion
drop index movement_variant; -- movement_sum is the same and more

-- Every size that has a number in Stripe, or something else in its place (units: null); no threshold: the shop's.
create view stock_level as
select v.account, v.product_id as product, p.name, v.size, case when v.state = 'managed' then v.on_hand end as units,
    coalesce(v.threshold, p.threshold) as threshold
from variant v join product p on p.account = v.account and p.id = v.product_id
where v.state in ('managed', 'unreadable') and p.state in ('tracked', 'quarantined');
