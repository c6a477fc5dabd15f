-- The first pending rebuild since the last release divides what that release knew from what came
-- after it: that was never published, and is not here.
with last_release as (
    select min(noticed_at) as ended_at from {{ source('raw', 'pending_rebuild') }}
),

{% for kind in record_kinds() %}
    {{ kind }} as (
        {{ restated(kind) | indent(8) }}
    ){{ "," if not loop.last }}

{% endfor %}
{% for kind in record_kinds() %}
    select * from {{ kind }}
    {{ "union all" if not loop.last }}
{% endfor %}
