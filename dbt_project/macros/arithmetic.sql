{#
Arithmetic the models share. Ratios are taken in DOUBLE and rounded, so that the same inputs give
the same figure however the rows were gathered.
#}


{# Change of `value` against `base` in percent points; null where either is missing or base is 0. #}
{% macro pct_change(value, base) -%}
    round(100.0 * cast({{ value }} - {{ base }} as double) / nullif(cast({{ base }} as double), 0), 6)
{%- endmacro %}


{# `part` as a share of `whole` in percent points. #}
{% macro pct_of(part, whole) -%}
    round(100.0 * cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0), 6)
{%- endmacro %}


{#
Natural logarithm of a ratio, to twelve decimals: logarithms of fixed precision add up to the same
sum in any order and from any day on.
#}
{% macro log_ratio(numerator, denominator) -%}
    cast(
        round(ln(cast({{ numerator }} as double) / cast({{ denominator }} as double)), 12)
        as decimal(18, 12)
    )
{%- endmacro %}


{# A DOUBLE as an amount of money, to the hundredth. #}
{% macro to_amount(value) -%}
    cast(round({{ value }}, 2) as decimal(18, 2))
{%- endmacro %}


{# A number as text, with at most so many decimals and no zeros at their end. #}
{% macro number_text(number, decimals) -%}
    regexp_replace(cast(cast({{ number }} as decimal(24, {{ decimals }})) as string), '[.]?0+$', '')
{%- endmacro %}


{# The currencies market turnover is given in, beside the market's own. #}
{% macro turnover_currencies() -%}
    {{ return(["cny", "hkd", "usd"]) }}
{%- endmacro %}
