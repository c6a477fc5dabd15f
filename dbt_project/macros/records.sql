{# Selects that several models share: columns of many kinds of row, and the choice between feeds. #}


{#
Columns in a fixed order and type, some of which a select does not have.

Args:
    types: column -> its type, all columns in their order.
    given: column -> the expression for it; the columns not in here are null.
#}
{% macro typed_columns(types, given) -%}
    {%- for column, type in types.items() -%}
        cast({{ given.get(column, "null") }} as {{ type }}) as {{ column }}
        {%- if not loop.last %},
{% endif %}
    {%- endfor -%}
{%- endmacro %}


{#
The rows of a relation that several feeds report, one per key: that of the feed with the best
priority.

Args:
    reported: a relation with the columns of the key and `feed`.
    key: columns that say what one row is about.
Yields all columns of the relation, and feed_rank, which is 1.
#}
{% macro from_best_feed(reported, key) -%}
    select *
    from (
        select
            reported.*,
            row_number() over (
                partition by reported.{{ key | join(", reported.") }}
                order by feed.priority, feed.feed
            ) as feed_rank
        from {{ reported }} as reported
        inner join {{ source('raw', 'feed') }} as feed
            on reported.feed = feed.feed
    ) as ranked
    where feed_rank = 1
{%- endmacro %}
