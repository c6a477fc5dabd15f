{# Moves of a security that say nothing about its group: they stay published and count nowhere. #}


{#
Whether a move takes back the whole move of the session before, a half or more: a price that was
wrong for one session.
#}
{% macro takes_back(close, previous_close, last_close, last_previous_close) -%}
    coalesce(
        ({{ close }} > 1.5 * {{ previous_close }} or 1.5 * {{ close }} < {{ previous_close }})
        and cast({{ close }} as double) * cast({{ last_close }} as double)
        between 0.97 * cast({{ previous_close }} as double) * cast({{ last_previous_close }} as double)
        and 1.03 * cast({{ previous_close }} as double) * cast({{ last_previous_close }} as double),
        false
    )
{%- endmacro %}


{# Whether a share of the mainland moved further than its exchange lets any listed one. #}
{% macro is_beyond_any_limit(trade_date, change_pct) -%}
    ({{ trade_date }} >= cast('1996-12-16' as date) and abs({{ change_pct }}) > 22)
{%- endmacro %}


{#
Why a row of security_performance counts in no average and no ranking; null where it counts.

The exchanges of the mainland let no price move by more than 20 % in a session since 16 December
1996, but for the first five sessions of a security and some resumptions. Hong Kong has no limit;
there nothing but an error multiplies a price by four.
#}
{% macro outlier_reason() -%}
    case
        when sessions_since_listing between 1 and 5 then 'new_listing'
        when is_reversal then 'reversed_step'
        when
            region = 'mainland' and {{ is_beyond_any_limit('trade_date', 'change_pct') }}
            then 'beyond_any_limit'
        when change_pct >= 300 or change_pct <= -75 then 'implausible_step'
    end
{%- endmacro %}
