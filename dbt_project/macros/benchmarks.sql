{# The index that stands for each region, against which baskets are measured: region -> symbol. #}
{% macro benchmarks() -%}
    {{ return({"hong_kong": "HSI", "mainland": "000300.SH"}) }}
{%- endmacro %}


{# The benchmark of a region; null where the region has none. #}
{% macro benchmark_of_region(region) -%}
    case {{ region }}
        {%- for name, symbol in benchmarks().items() %}
        when '{{ name }}' then '{{ symbol }}'
        {%- endfor %}
    end
{%- endmacro %}
