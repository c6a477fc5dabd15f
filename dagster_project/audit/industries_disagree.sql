select
    'security_reference' as record_kind,
    kept.feed,
    kept.symbol,
    file.path as file,
    kept.line_number,
    'industry ' || coalesce(kept.industry, 'none') || ', but ' || coalesce(other.industry, 'none')
    || ' in ' || other_file.path || ':' || other.line_number as what
from raw.security_reference as kept
inner join raw.security_reference as other using (feed, symbol)
inner join raw.file as file on kept.file_id = file.file_id
inner join raw.file as other_file on other.file_id = other_file.file_id
where
    kept.is_current
    and not other.is_current
    and kept.industry is distinct from other.industry
order by kept.symbol
