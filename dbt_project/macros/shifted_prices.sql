{#
Whether a day lies more than a month after the last session at which a price adjusted by difference
was seen to be shifted, or none was seen. From then on such prices are trusted again.
#}
{% macro is_long_after(day, shifted_date) -%}
    coalesce({{ day }} > cast({{ dbt.dateadd('day', 30, shifted_date) }} as date), true)
{%- endmacro %}
