{#
Written by `make record-kinds` from dagster_project/market/: change it there.

The record kinds by name. `key` has the columns that identify a record within a feed, `values` the
others; `about` has the columns of the key that say what it is about. `series`, `part` and `figure`
are SQL for the same of records of any kind; `sessions` says on whose sessions the records must be,
`is_looked_back_on` whether records of days that are not covered count too.
#}
{% macro record_kinds() -%}
    {{ return({
        "index_close": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "trade_date"
            ],
            "values": [
                "open",
                "high",
                "low",
                "close",
                "previous_close",
                "change",
                "change_pct",
                "volume",
                "turnover",
                "currency"
            ],
            "series": "symbol",
            "part": none,
            "figure": "close",
            "sessions": "index",
            "is_looked_back_on": true
        },
        "security_close": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "trade_date"
            ],
            "values": [
                "open",
                "high",
                "low",
                "close",
                "previous_close",
                "change",
                "change_pct",
                "volume",
                "turnover",
                "currency",
                "name",
                "status",
                "turnover_rate_pct",
                "is_special_treatment"
            ],
            "series": "symbol",
            "part": none,
            "figure": "close",
            "sessions": "security",
            "is_looked_back_on": false
        },
        "market_turnover": {
            "about": [
                "market"
            ],
            "key": [
                "market",
                "segment",
                "trade_date"
            ],
            "values": [
                "turnover",
                "volume",
                "deals",
                "is_half_day",
                "currency",
                "turnover_of_securities"
            ],
            "series": "market",
            "part": "segment",
            "figure": "turnover",
            "sessions": "market",
            "is_looked_back_on": true
        },
        "connect_turnover": {
            "about": [
                "channel"
            ],
            "key": [
                "channel",
                "direction",
                "trade_date"
            ],
            "values": [
                "turnover",
                "buy",
                "sell",
                "deals",
                "is_open",
                "currency"
            ],
            "series": "channel",
            "part": "direction",
            "figure": "turnover",
            "sessions": none,
            "is_looked_back_on": false
        },
        "short_selling": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "trade_date"
            ],
            "values": [
                "volume",
                "turnover",
                "volume_of_security",
                "turnover_of_security",
                "currency"
            ],
            "series": "symbol",
            "part": none,
            "figure": "turnover",
            "sessions": "security",
            "is_looked_back_on": false
        },
        "exchange_rate": {
            "about": [
                "base_currency",
                "currency"
            ],
            "key": [
                "base_currency",
                "currency",
                "trade_date"
            ],
            "values": [
                "rate"
            ],
            "series": "base_currency || currency",
            "part": none,
            "figure": "rate",
            "sessions": none,
            "is_looked_back_on": true
        },
        "security_reference": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol"
            ],
            "values": [
                "name",
                "name_en",
                "industry",
                "listed",
                "delisted",
                "stated_on"
            ],
            "series": "symbol",
            "part": none,
            "figure": none,
            "sessions": "security",
            "is_looked_back_on": false
        },
        "security_name": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "trade_date"
            ],
            "values": [
                "name"
            ],
            "series": "symbol",
            "part": none,
            "figure": none,
            "sessions": none,
            "is_looked_back_on": false
        },
        "security_valuation": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "trade_date"
            ],
            "values": [
                "float_cap",
                "total_cap",
                "turnover_rate_pct",
                "currency"
            ],
            "series": "symbol",
            "part": none,
            "figure": none,
            "sessions": "security",
            "is_looked_back_on": false
        },
        "security_adjustment": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "trade_date"
            ],
            "values": [
                "adjustment_factor"
            ],
            "series": "symbol",
            "part": none,
            "figure": "adjustment_factor",
            "sessions": "security",
            "is_looked_back_on": false
        },
        "broker_target": {
            "about": [
                "symbol"
            ],
            "key": [
                "symbol",
                "broker",
                "trade_date"
            ],
            "values": [
                "target",
                "currency"
            ],
            "series": "symbol",
            "part": "broker",
            "figure": "target",
            "sessions": none,
            "is_looked_back_on": false
        },
        "market_event": {
            "about": [
                "event"
            ],
            "key": [
                "event",
                "trade_date",
                "basket"
            ],
            "values": [
                "what"
            ],
            "series": "basket",
            "part": "event",
            "figure": none,
            "sessions": none,
            "is_looked_back_on": false
        }
    }) }}
{%- endmacro %}


{# Counters in another currency than that of their market: pattern of the symbol -> currency. #}
{% macro counter_currencies() -%}
    {{ return({
        "900___.SH": "USD",
        "20____.SZ": "HKD",
        "8____.HK": "CNY",
        "90__.HK": "USD",
        "91__.HK": "USD",
        "94__.HK": "USD",
        "980_.HK": "USD",
        "981_.HK": "USD",
        "982_.HK": "USD",
        "983_.HK": "USD",
        "984_.HK": "USD"
    }) }}
{%- endmacro %}
