{# The market (MIC) of a security, from the suffix of its symbol: 0981.HK, 600519.SH, 000858.SZ. #}
{% macro market_of_security(symbol) -%}
    case substring({{ symbol }}, length({{ symbol }}) - 2, 3)
        when '.HK' then 'XHKG'
        when '.SH' then 'XSHG'
        when '.SZ' then 'XSHE'
    end
{%- endmacro %}
