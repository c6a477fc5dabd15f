{# How many members of a group must have traded for its change to be ranked. #}
{% macro fewest_ranked_members() -%}
    5
{%- endmacro %}


{# From how many of the twenty sessions before the float capitalisation is estimated, at least. #}
{% macro fewest_estimates() -%}
    5
{%- endmacro %}
