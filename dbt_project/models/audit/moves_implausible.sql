-- A new share finds its price in its first sessions.
select
    record_kind,
    feed,
    symbol,
    trade_date,
    file,
    line_number,
    what
from {{ ref('session_move') }}
where
    {{ is_changed() }}
    and change_pct is not null
    and not is_newly_listed
    and case record_kind
        when 'index_close'
            then
                abs(change_pct) > {{ setting('index_pct') }}
                or high > (1 + {{ setting('index_pct') }} / 100) * previous_close
                or low < (1 - {{ setting('index_pct') }} / 100) * previous_close
        else
            abs(change_pct) > {{ setting('security_pct') }}
            or high > (1 + {{ setting('security_pct') }} / 100) * greatest(previous_close, close)
            or low < (1 - {{ setting('security_pct') }} / 100) * least(previous_close, close)
    end
order by record_kind asc, trade_date desc
