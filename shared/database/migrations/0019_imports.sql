-- The movements of an import, by its batch: 'import:<batch>:<account>:<product>:<size>'. Others are not in it.
create index movement_batch on movement (split_part(source_key, ':', 2)) where starts_with(source_key, 'import:');
