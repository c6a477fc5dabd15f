{# What a security is, by the number ranges of its exchange. #}


{#
Kind of a security by its symbol: share, b_share, depositary_receipt, preference_share, fund, bond,
rmb_counter (a second counter of a Hong Kong share), derivative (warrants and callable bull/bear
contracts of Hong Kong); other where the range tells nothing.
#}
{% macro kind_of_security(symbol) -%}
    case
        when {{ symbol }} like '8____.HK' then 'rmb_counter'
        when {{ begins_with(symbol, hong_kong_funds()) }} then 'fund'
        when {{ begins_with(symbol, '(4[0-2]|5[0-9])[0-9]{2}[.]HK') }} then 'bond'
        when {{ begins_with(symbol, '[1-6][0-9]{4}[.]HK') }} then 'derivative'
        when {{ symbol }} like '%.HK' then 'share'
        when {{ symbol }} like '689%.SH' then 'depositary_receipt'
        when {{ symbol }} like '60%.SH' or {{ symbol }} like '688%.SH' then 'share'
        when {{ symbol }} like '900%.SH' or {{ symbol }} like '20%.SZ' then 'b_share'
        when {{ symbol }} like '00%.SZ' or {{ symbol }} like '30%.SZ' then 'share'
        when {{ symbol }} like '360%.SH' or {{ symbol }} like '140%.SZ' then 'preference_share'
        when {{ symbol }} like '5%.SH' or {{ begins_with(symbol, '1(5|6|80|84)[0-9]+[.]SZ') }}
            then 'fund'
        when {{ begins_with(symbol, '(0[12]|1|2)[0-9]+[.]SH') }} or {{ symbol }} like '1%.SZ' then 'bond'
        else 'other'
    end
{%- endmacro %}


{# Exchange-traded funds, leveraged and inverse products, and their counters in US dollars. #}
{% macro hong_kong_funds() -%}
    (28[0-4]|3[014][0-9]|7[2357][0-9]|9[014][0-9]|98[0-4])[0-9][.]HK
{%- endmacro %}


{# Whether a kind of security counts among the shares of its market, in averages and breadth. #}
{% macro is_counted_share(kind) -%}
    {{ kind }} in ('share', 'depositary_receipt')
{%- endmacro %}


{# Board of a security by its symbol: main, gem, star or chinext; null for what is no share. #}
{% macro board_of_security(symbol) -%}
    case
        when {{ kind_of_security(symbol) }} in ('fund', 'bond', 'derivative', 'other') then null
        when {{ symbol }} like '8____.HK' then 'main'
        when {{ symbol }} like '8___.HK' then 'gem'
        when {{ symbol }} like '%.HK' then 'main'
        when {{ symbol }} like '688%.SH' or {{ symbol }} like '689%.SH' then 'star'
        when {{ symbol }} like '60%.SH' or {{ symbol }} like '900%.SH' then 'main'
        when {{ symbol }} like '30%.SZ' then 'chinext'
        when {{ symbol }} like '00%.SZ' or {{ symbol }} like '20%.SZ' then 'main'
    end
{%- endmacro %}


{# Currency of a security's own counter: B shares and RMB counters have not that of their market. #}
{% macro counter_currency(symbol, currency_of_market) -%}
    case
        {%- for pattern, currency in counter_currencies().items() %}
        when {{ symbol }} like '{{ pattern }}' then '{{ currency }}'
        {%- endfor %}
        else {{ currency_of_market }}
    end
{%- endmacro %}


{# Change of a security where it counts: a suspended one has not moved, and is not unchanged. #}
{% macro counted_change(status, change_pct) -%}
    case when coalesce({{ status }}, 'traded') <> 'suspended' then {{ change_pct }} end
{%- endmacro %}


{#
A calculated price as the exchange would state it: in the mainland shares trade in cents, all else
in tenths of a cent or more.
#}
{% macro to_tick(price, symbol) -%}
    case
        when
            {{ symbol }} not like '%.HK'
            and {{ is_counted_share(kind_of_security(symbol)) }}
            then cast(round({{ price }}, 2) as decimal(18, 6))
        else cast(round({{ price }}, 3) as decimal(18, 6))
    end
{%- endmacro %}


{#
Whether a name begins with a mark of the day, so that it is not the name alone: XD, XR, DR on an
ex-date, N and C on the first sessions. A Latin letter before a Chinese character is a mark.
#}
{% macro has_mark_of_day(name) -%}
    {{ begins_with(name, "(XD|XR|DR|[NC][^ -~])") }}
{%- endmacro %}


{# Whether a name is written in Latin letters. #}
{% macro is_latin_name(name) -%}
    {{ begins_with(name, "[ -~]+$") }}
{%- endmacro %}
