with closes as (

    select * from {{ ref('int_index_close') }}

)

{{ session_returns(
    'closes',
    'close',
    back=[5, 20],
    since={
        'return_wtd_pct': 'week_before',
        'return_mtd_pct': 'month_before',
        'return_qtd_pct': 'quarter_before',
        'return_ytd_pct': 'year_before',
        'return_1y_pct': 'year_ago',
    }
) }}
