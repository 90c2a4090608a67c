-- What a mail of unknown fate told: the alert's revision, or its end; a second time it counts as sent.
alter table alert add column unsure text not null default '';  -- '3': revision 3, 'over': its end
alter table report add column unsure boolean not null default false;

-- How often Stripe kept a run from its work; the first few times it begins again.
alter table job_run add column failures integer not null default 0;
