{#
The daily price limit of a mainland share, as a fraction of its reference previous close; null where
there is none (Hong Kong; before 16 December 1996). By board and date: 20 % on STAR (688, 689), and
on ChiNext (300, 301, 302) since 24 August 2020; 5 % for shares under special treatment (ST, by
name) on the other boards until 5 July 2026; otherwise 10 %.
#}
{% macro price_limit(symbol, name, trade_date) -%}
    case
        when {{ symbol }} like '%.HK' or {{ trade_date }} < cast('1996-12-16' as date)
            then null
        when {{ symbol }} like '688%.SH' or {{ symbol }} like '689%.SH'
            then cast(0.20 as decimal(4, 2))
        when
            {{ trade_date }} >= cast('2020-08-24' as date)
            and ({{ symbol }} like '300%.SZ' or {{ symbol }} like '301%.SZ' or {{ symbol }} like '302%.SZ')
            then cast(0.20 as decimal(4, 2))
        when
            {{ trade_date }} < cast('2026-07-06' as date)
            and ({{ name }} like 'ST%' or {{ name }} like '*ST%')
            then cast(0.05 as decimal(4, 2))
        else cast(0.10 as decimal(4, 2))
    end
{%- endmacro %}
