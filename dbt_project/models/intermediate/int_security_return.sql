{{ session_returns(
    ref('int_security_close'),
    'return_index',
    back=[20],
    since={'return_ytd_pct': 'year_before'},
    comparable_from='record_begins'
) }}
