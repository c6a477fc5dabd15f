{#
No two rows of a model share the columns that say what one row of it is.

Args:
    columns: those columns.
    only_rebuilt: check only the sessions that this run rebuilds; the earlier ones were checked when
        they were built, and have not changed since.
    of_securities: the model has a row per security, and few of them may be rebuilt alone.
#}
{% test grain_is_unique(model, columns, only_rebuilt=true, of_securities=false) %}

    select
        {{ columns | join(", ") }},
        count(*) as row_count
    from {{ model }}
    {% if only_rebuilt and "trade_date" in columns %}
        where {{ is_rebuilt() if of_securities else "trade_date >= " ~ rebuild_from() }}
    {% endif %}
    group by {{ columns | join(", ") }}
    having count(*) > 1

{% endtest %}
