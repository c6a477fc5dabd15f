{#
The daily price limit of a mainland share, as a fraction of its reference previous close; null where
there is none (Hong Kong; before 16 December 1996), where it is not known, and for what is no share.
By board and date: 20 % on STAR, and on ChiNext since 24 August 2020; 5 % for shares under special
treatment on the other boards until 5 July 2026; otherwise 10 %.

Special treatment is that of the day: as the feed says it, else by the name of the day. Where neither
is known and it matters, the limit is not known.
#}
{% macro price_limit(region, board, name, is_special_treatment, trade_date) -%}
    {%- set is_treated -%}
        coalesce({{ is_special_treatment }}, {{ is_special_treatment_name(name) }})
    {%- endset -%}
    case
        when
            {{ region }} <> 'mainland'
            or {{ board }} is null
            or {{ trade_date }} < cast('1996-12-16' as date)
            then null
        when {{ has_wide_limit(board, trade_date) }} then cast(0.20 as decimal(4, 2))
        when {{ trade_date }} >= cast('2026-07-06' as date) then cast(0.10 as decimal(4, 2))
        when {{ is_treated }} then cast(0.05 as decimal(4, 2))
        when not {{ is_treated }} then cast(0.10 as decimal(4, 2))
    end
{%- endmacro %}


{#
Whether prices lie beyond a limit (a fraction) of the reference previous close, by more than a cent:
the exchange rounds limits to the cent.
#}
{% macro is_beyond_limit(highest, lowest, reference_close, limit) -%}
    (
        {{ highest }} > round({{ reference_close }} * (1 + {{ limit }}), 2) + 0.0101
        or {{ lowest }} < round({{ reference_close }} * (1 - {{ limit }}), 2) - 0.0101
    )
{%- endmacro %}


{# Whether a board had the limit of 20 % on a day. #}
{% macro has_wide_limit(board, trade_date) -%}
    (
        {{ board }} = 'star'
        or ({{ board }} = 'chinext' and {{ trade_date }} >= cast('2020-08-24' as date))
    )
{%- endmacro %}


{#
How many sessions after its listing a mainland share has no limit of its board: five under the
registration system (STAR; ChiNext since 24 August 2020; all boards since 10 April 2023), before it
the first, which had limits of its own.
#}
{% macro sessions_without_limit(board, trade_date) -%}
    case
        when {{ trade_date }} >= cast('2023-04-10' as date) then 5
        when {{ has_wide_limit(board, trade_date) }} then 5
        else 1
    end
{%- endmacro %}


{#
Whether a name says special treatment: ST or *ST, after the marks of an ex-date (XD, XR, DR), of a
share reform (S, G) or of a resumption (N); also in full-width or small letters, and with spaces. A
Latin word such as Stanley does not.
#}
{% macro is_special_treatment_name(name) -%}
    {%- set plain = "translate(upper(" ~ name ~ "), '＊ＳＴＸＤＲＮＧ\u3000\u00a0', '*STXDRNG  ')" -%}
    {{ begins_with(plain, " *(XD|XR|DR|N|G)? *S? *([*] *ST|ST([^A-Z]|$))") }}
{%- endmacro %}
