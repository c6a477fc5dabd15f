select
    reported.feed,
    reported.symbol,
    reported.market,
    reported.trade_date,
    reported.previous_trade_date,
    reported.session_number,
    reported.name,
    reported.open,
    reported.high,
    reported.low,
    reported.close,
    reported.stated_previous_close,
    reported.stated_change,
    reported.stated_change_pct,
    reported.volume,
    reported.turnover,
    reported.turnover_rate_pct,
    reported.currency,
    reported.stated_status,
    reported.is_special_treatment,
    reported.file_id,
    reported.line_number
from {{ ref('stg_security_close') }} as reported
left join {{ ref('int_feed_session') }} as quarantined
    on
        quarantined.is_quarantined
        and reported.feed = quarantined.feed
        and reported.market = quarantined.market
        and reported.trade_date = quarantined.trade_date
where quarantined.feed is null
