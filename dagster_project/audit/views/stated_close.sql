-- What files state of closes, a row an index or security, feed and session.
select 'index_close' as record_kind, * from staging.stg_index_close
union all by name
select 'security_close' as record_kind, * from staging.stg_security_close
