select
    'security_reference' as record_kind,
    kept.feed,
    kept.symbol,
    file.path as file,
    kept.line_number,
    'industry ' || coalesce(kept.industry, 'none') || ', but ' || coalesce(other.industry, 'none')
    || ' in ' || other_file.path || ':' || other.line_number as what
from {{ source('raw', 'security_reference') }} as kept
inner join {{ source('raw', 'security_reference') }} as other
    on
        kept.feed = other.feed
        and kept.symbol = other.symbol
        and kept.industry is distinct from other.industry
inner join {{ source('raw', 'file') }} as file on kept.file_id = file.file_id
inner join {{ source('raw', 'file') }} as other_file on other.file_id = other_file.file_id
where
    kept.is_current
    and not other.is_current
order by kept.symbol
