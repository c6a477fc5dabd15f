{#
The record kinds whose restatement is noticed, by name: the columns that say what a record is about,
its key within a feed, and its values. They are those of dagster_project; a test compares the two.
#}
{% macro record_kinds() -%}
    {%- set prices = ["open", "high", "low", "close", "previous_close", "change"] -%}
    {%- set dealt = ["change_pct", "volume", "turnover", "currency"] -%}
    {{ return({
        "index_close": {
            "about": ["symbol"],
            "key": ["symbol", "trade_date"],
            "values": prices + dealt,
        },
        "security_close": {
            "about": ["symbol"],
            "key": ["symbol", "trade_date"],
            "values": prices + dealt + ["name", "status"],
        },
        "market_turnover": {
            "about": ["market"],
            "key": ["market", "segment", "trade_date"],
            "values": ["turnover", "volume", "deals", "is_half_day", "currency"],
        },
        "exchange_rate": {
            "about": ["base_currency", "currency"],
            "key": ["base_currency", "currency", "trade_date"],
            "values": ["rate"],
        },
        "security_reference": {
            "about": ["symbol"],
            "key": ["symbol"],
            "values": ["name", "industry"],
        },
        "broker_target": {
            "about": ["symbol"],
            "key": ["symbol", "broker", "trade_date"],
            "values": ["target", "currency"],
        },
        "market_event": {
            "about": ["event"],
            "key": ["event", "trade_date", "basket"],
            "values": ["what"],
        },
    }) }}
{%- endmacro %}
