"""The report's text: sentences made by rules from the facts, the strongest fact first.

Belongs here: which facts are told, in which words and order, and what each word means. Does not
belong here: reading facts (`facts.py`), tables (`tables.py`).

A sentence is told only when its figures are there: no earlier close, no change; no delivery, no
turnover, and a sentence that says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from dagster_project.report.facts import HEADLINE_INDEX, REGIONS, Facts, level_last_seen
from dagster_project.report.figures import Figure, Row, Text, direction, listed, say

# A level last seen more recently is not told: most rises are the highest of some days.
TOLD_AFTER_DAYS = 28
DAYS_A_YEAR = 365.25
# Changes, in percent, that weigh as much as a level not seen for a year.
USUAL_INDEX_CHANGE = 2.0
USUAL_SECURITY_CHANGE = 4.0
# Of a fact about an index that is not its region's headline index.
OTHER_INDEX_WEIGHT = 0.75
NAMED_MEMBERS = 3
NAMED_SECTORS = 3

# A change below this size, in percent, is told as: (past, present) of a rise and of a fall.
VERBS = (
    (0.2, ("edged up", "edges up"), ("edged down", "edges down")),
    (1.0, ("rose", "rises"), ("fell", "falls")),
    (3.0, ("climbed", "climbs"), ("dropped", "drops")),
    (5.0, ("jumped", "jumps"), ("slid", "slides")),
    (float("inf"), ("surged", "surges"), ("plunged", "plunges")),
)
PLACES = {"XHKG": "Hong Kong", "XSHG": "Shanghai", "XSHE": "Shenzhen"}
REGION_NAMES = {"hong_kong": "Hong Kong", "mainland": "mainland China"}
CURRENCIES = {"CNY": "yuan", "HKD": "Hong Kong dollars", "USD": "US dollars"}
WEIGHTINGS = {
    "equal": "on average",
    "turnover": "weighted by turnover",
    "cap": "weighted by capitalisation",
}


@dataclass(frozen=True)
class Story:
    """The text of a report."""

    headline: Text
    paragraphs: Sequence[Text]


def tell(facts: Facts) -> Story:
    """The newswire text of a trade date."""
    if facts.is_closed:
        return _closed(facts)
    regions = sorted(REGIONS, key=lambda region: -_region_strength(facts, region))
    paragraphs: list[Text] = []
    for region in regions:
        if facts.open_markets(region):
            paragraphs += [
                _sentences(_indices(facts, region)),
                _sentences(_baskets(facts, region)),
                _sentences(_sectors(facts, region)),
            ]
    paragraphs.append(_sentences(_closed_regions(facts)))
    paragraphs.append(_sentences(_turnover(facts)))
    paragraphs.append(_sentences(_breadth(facts)))
    paragraphs.append(_sentences(_reactions(facts)))
    paragraphs.append(_sentences(_targets(facts)))
    paragraphs.append(_sentences(_claims(facts)))
    paragraphs.append(_sentences(_missing(facts)))
    return Story(_headline(facts), [paragraph for paragraph in paragraphs if paragraph])


# Words


def verb(change_pct: float, present: bool = False) -> str:
    """The word for a change in percent; what is shown as 0.00 moved nowhere."""
    if direction(change_pct) == 0:
        return "is unchanged" if present else "was unchanged"
    rise, fall = next(words for below, *words in VERBS if abs(change_pct) < below)
    return (rise if change_pct > 0 else fall)[present]


@dataclass(frozen=True)
class Level:
    """What is told of the level of a close: the extreme that it is, since a day."""

    word: str
    """`highest` or `lowest`."""
    since: Figure
    years: float
    is_first_day: bool
    """Whether no such level is known and `since` is the first day of the record."""

    def clause(self, noun: str = " close") -> Text:
        """`its highest close since 23 July 2021`."""
        pattern = "its {word}{noun} since {since}"
        if self.is_first_day:
            pattern = "its {word}{noun} in a record that begins on {since}"
        return say(pattern, word=self.word, noun=noun, since=self.since)


def told_level(facts: Facts, row: Row) -> Level | None:
    """The level of a close, where it was not seen for longer than `TOLD_AFTER_DAYS`."""
    column = level_last_seen(row)
    if column is None:
        return None
    since: Figure | None = row.figure(column, "date")
    is_first_day = row[column] is None
    if is_first_day:
        since = facts.first_day(row)
    if since is None or since.value is None:
        return None
    days = (facts.trade_date - since.value).days
    if days < TOLD_AFTER_DAYS:
        return None
    word = "highest" if column == "closing_high_since" else "lowest"
    return Level(word, since, days / DAYS_A_YEAR, is_first_day)


def strength(facts: Facts, row: Row, usual_change: float) -> float:
    """How much a close is news: the years its level was not seen, and the size of its change.

    A change of `usual_change` percent weighs as much as one year.
    """
    level = told_level(facts, row)
    return (level.years if level else 0.0) + abs(row["change_pct"] or 0.0) / usual_change


def _index_strength(facts: Facts, row: Row) -> float:
    is_headline = row["symbol"] in HEADLINE_INDEX.values()
    return strength(facts, row, USUAL_INDEX_CHANGE) * (1 if is_headline else OTHER_INDEX_WEIGHT)


def _sentences(sentences: Iterable[Text]) -> Text:
    pieces: list[str | Figure] = []
    for sentence in sentences:
        if sentence:
            pieces += [" ", *sentence] if pieces else sentence
    return tuple(pieces)


def _name(row: Row) -> Text:
    """An index as a sentence names it."""
    return say("the {name}", name=row.figure("name", "text"))


def _capital(text: Text) -> Text:
    first, *rest = text
    assert isinstance(first, str)
    return (first[0].upper() + first[1:], *rest)


def weekday(day: date) -> str:
    return f"{day:%A}"


# Indices


def _region_strength(facts: Facts, region: str) -> float:
    rows = [row for row in facts.indices if row["region"] == region]
    return max((_index_strength(facts, row) for row in rows), default=-1.0)


def _headline(facts: Facts) -> Text:
    if not facts.indices:
        return say("Markets traded, but no file states the close of an index")
    row = max(facts.indices, key=lambda row: _index_strength(facts, row))
    name = row.figure("name", "text")
    if row["change_pct"] is None:
        return say("{name} closes at {close}", name=name, close=_close(row))
    level = told_level(facts, row)
    if level and level.years >= abs(row["change_pct"]) / USUAL_INDEX_CHANGE:
        return say("{name} closes at {level}", name=name, level=level.clause(noun=""))
    if direction(row["change_pct"]) == 0:
        return say("{name} closes unchanged at {close}", name=name, close=_close(row))
    return say(
        "{name} {verb} {change}, closes at {close}",
        name=name,
        verb=verb(row["change_pct"], present=True),
        change=row.figure("change_pct", "pct_size"),
        close=_close(row),
    )


def _close(row: Row) -> Figure:
    return row.figure("close", "level")


def _indices(facts: Facts, region: str) -> Iterable[Text]:
    rows = [row for row in facts.indices if row["region"] == region]
    rows.sort(key=lambda row: -_index_strength(facts, row))
    if not rows:
        yield say("No file states the close of an index of {region}.", region=REGION_NAMES[region])
        return
    first, *others = rows
    yield _first_index(facts, region, first)
    told = [_other_index(facts, row) for row in others if row["change_pct"] is not None]
    if told:
        yield say("{told}.", told=_capital(listed(told)))
    untold = [
        say("{name} at {close}", name=_name(row), close=_close(row))
        for row in others
        if row["change_pct"] is None
    ]
    if untold:
        yield say("Also without a close of the session before: {told}.", told=listed(untold))


def _first_index(facts: Facts, region: str, row: Row) -> Text:
    when = weekday(facts.trade_date)
    if any(facts.sessions[m["market"]]["is_half_day"] for m in facts.open_markets(region)):
        when += "'s shortened session"
        on = "in"
    else:
        on = "on"
    parts = {"name": _capital(_name(row)), "close": _close(row), "when": when, "on": on}
    if row["change_pct"] is None:
        return say(
            "{name} closed at {close} {on} {when}; "
            "the warehouse has no close of the session before.",
            **parts,
        )
    if direction(row["change_pct"]) == 0:
        sentence = say("{name} closed unchanged at {close} {on} {when}", **parts)
    else:
        sentence = say(
            "{name} {verb} {points} points, or {change}, to close at {close} {on} {when}",
            verb=verb(row["change_pct"]),
            points=row.figure("change", "points_size"),
            change=row.figure("change_pct", "pct_size"),
            **parts,
        )
    level = told_level(facts, row)
    return sentence + (say(", {level}.", level=level.clause()) if level else (".",))


def _other_index(facts: Facts, row: Row) -> Text:
    if direction(row["change_pct"]) == 0:
        return say("{name} was unchanged at {close}", name=_name(row), close=_close(row))
    sentence = say(
        "{name} {verb} {change} to {close}",
        name=_name(row),
        verb=verb(row["change_pct"]),
        change=row.figure("change_pct", "pct_size"),
        close=_close(row),
    )
    level = told_level(facts, row)
    return sentence + (say(" ({level})", level=level.clause()) if level else ())


# Baskets and sectors


def _baskets(facts: Facts, region: str) -> Iterable[Text]:
    for basket in facts.baskets:
        if basket["region"] != region or basket["change_pct"] is None:
            continue
        sentence = say(
            "The {name} basket {change}",
            name=facts.basket_names[basket["sector"]].figure("name", "text"),
            change=_changed(basket),
        )
        members = sorted(
            facts.basket_members[basket["sector"]],
            key=lambda row: (-strength(facts, row, USUAL_SECURITY_CHANGE), row["symbol"]),
        )[:NAMED_MEMBERS]
        if members:
            told = listed([_security(facts, row) for row in members])
            sentence += say("; {told}", told=told)
        yield (*sentence, ".")


def _changed(row: Row) -> Text:
    if direction(row["change_pct"]) == 0:
        return say("was unchanged {weighting}", weighting=WEIGHTINGS[row["weighting"]])
    return say(
        "{verb} {change} {weighting}",
        verb=verb(row["change_pct"]),
        change=row.figure("change_pct", "pct_size"),
        weighting=WEIGHTINGS[row["weighting"]],
    )


def _security(facts: Facts, row: Row) -> Text:
    """A security with its change and, where told, its level."""
    name = row.figure("name", "short_name") if row["name"] else row.figure("symbol", "text")
    text = say("{name} {verb}", name=name, verb=verb(row["change_pct"]))
    if direction(row["change_pct"]):
        text += say(" {change}", change=row.figure("change_pct", "pct_size"))
    level = told_level(facts, row)
    return text + (say(" to {level}", level=level.clause()) if level else ())


def _sectors(facts: Facts, region: str) -> Iterable[Text]:
    rows = [row for row in facts.sectors if row["region"] == region]
    # With fewer, the leaders would be the laggards.
    if len(rows) < 2 * NAMED_SECTORS:
        return
    by_worst = sorted(rows, key=lambda row: row["rank_worst"])
    led, lagged = "led the sectors of", "lagged"
    if direction(rows[0]["change_pct"]) < 0:
        led, lagged = "fell least among the sectors of", "fell most"
    yield say(
        "{leaders} {led} {region}; {laggards} {lagged}.",
        led=led,
        lagged=lagged,
        leaders=_capital_figure(_named(facts, rows[:NAMED_SECTORS])),
        region=REGION_NAMES[region],
        laggards=_named(facts, by_worst[:NAMED_SECTORS]),
    )


def _named(facts: Facts, rows: Sequence[Row]) -> Text:
    return listed(
        [
            say(
                "{name} ({change})",
                name=facts.sector_names[row["sector"]].figure("name", "lower"),
                change=row.figure("change_pct", "pct"),
            )
            for row in rows
        ]
    )


def _capital_figure(text: Text) -> Text:
    """The same text, with the name that it begins with as a sentence begins."""
    first, *rest = text
    assert isinstance(first, Figure)
    return (first.written("capital"), *rest)


# Turnover and breadth


def _turnover(facts: Facts) -> Iterable[Text]:
    mainland = facts.open_markets("mainland")
    if mainland:
        yield _mainland_turnover(facts, mainland)
    for market in facts.open_markets("hong_kong"):
        yield _market_turnover(facts, market)
    both = facts.scopes.get("all")
    regions = [region for region in REGIONS if facts.open_markets(region)]
    if both and both["is_complete"] and both["turnover_cny"] is not None and len(regions) > 1:
        yield say(
            "Counted in yuan, all markets together turned over {total}.",
            total=both.figure("turnover_cny", "money"),
        )


def _mainland_turnover(facts: Facts, markets: Sequence[Row]) -> Text:
    scope = facts.scopes.get("mainland")
    places = listed([say(PLACES[market["market"]]) for market in markets])
    if scope is None or scope["turnover_cny"] is None:
        return say("No file states the turnover of {places}.", places=places)
    if not scope["is_complete"]:
        return say(
            "Turnover of {reported} of the {opened} mainland markets came to {total} yuan; "
            "the rest is not delivered.",
            reported=scope.figure("markets_reported", "count"),
            opened=scope.figure("markets_open", "count"),
            total=scope.figure("turnover_cny", "money"),
        )
    text = say(
        "Turnover in {places} came to {total} yuan",
        places=places,
        total=scope.figure("turnover_cny", "money"),
    )
    if scope["change_cny"] is not None:
        text += say(
            ", {compared} {before} the session before",
            compared=_compared(scope["change_cny"]),
            before=scope.figure("previous_turnover_cny", "money"),
        )
    averages = [
        say(
            "{place} was {average}",
            place=PLACES[market["market"]],
            average=_average(row, "higher", "lower", "level"),
        )
        for market in markets
        if (row := facts.turnovers.get(market["market"]))
        and row["ratio_to_average_20d"] is not None
    ]
    if averages:
        text += say("; against its twenty-day average, {averages}", averages=listed(averages))
    return (*text, ".")


def _market_turnover(facts: Facts, market: Row) -> Text:
    place = PLACES[market["market"]]
    row = facts.turnovers.get(market["market"])
    if row is None or row["turnover"] is None:
        return say("No file states the turnover of {place}.", place=place)
    text = say(
        "{place}'s turnover was {total} {currency}",
        place=place,
        total=row.figure("turnover", "money"),
        currency=CURRENCIES[row["currency"]],
    )
    if row["previous_turnover"] is not None:
        text += say(
            ", {compared} {before}",
            compared=_compared(row["turnover"] - row["previous_turnover"]),
            before=row.figure("previous_turnover", "money"),
        )
    if row["ratio_to_average_20d"] is not None:
        text += say(
            "; that is {average} its twenty-day average",
            average=_average(row, "above", "below", "level with"),
        )
    return (*text, ".")


def _compared(change: object) -> str:
    assert change is not None
    sign = direction(change)
    return {1: "up from", -1: "down from", 0: "the same as"}[sign]


def _average(row: Row, above: str, below: str, level: str) -> Text:
    """`7.5 % below`, of its twenty-day average."""
    size = row.figure("ratio_to_average_20d", "above_size")
    side = row.figure("ratio_to_average_20d", "above").direction
    if side == 0:
        return say(level)
    return say("{size} {side}", size=size, side=above if side == 1 else below)


def _breadth(facts: Facts) -> Iterable[Text]:
    rows = [
        (PLACES[market["market"]], facts.breadth[market["market"]])
        for market in facts.markets
        if market["market"] in facts.sessions and market["market"] in facts.breadth
    ]
    # Without the session before nothing has risen or fallen.
    rows = [(place, row) for place, row in rows if row["advancers"] + row["decliners"] > 0]
    for first, second in (("advancers", "decliners"), ("decliners", "advancers")):
        told = [
            say(
                "by {more} to {fewer} in {place}",
                more=row.figure(first, "count"),
                fewer=row.figure(second, "count"),
                place=place,
            )
            for place, row in rows
            if row[first] > row[second]
        ]
        if told:
            yield say(
                "{first} outnumbered {second} {told}.",
                first=first.capitalize(),
                second=second,
                told=listed(told),
            )
    even = [
        say("{place} ({count} each)", place=place, count=row.figure("advancers", "count"))
        for place, row in rows
        if row["advancers"] == row["decliners"]
    ]
    if even:
        yield say("As many advanced as declined in {even}.", even=listed(even))
    for column, pattern in (
        ("new_highs_52w", "Of the securities followed, {told} closed at the highest of a year."),
        ("new_lows_52w", "At the lowest of a year closed {told}."),
        ("limit_up", "At the upper price limit closed {told}."),
        ("limit_down", "At the lower price limit closed {told}."),
    ):
        told = [
            say("{count} in {place}", count=row.figure(column, "count"), place=place)
            for place, row in rows
            if row[column]
        ]
        if told:
            yield say(pattern, told=listed(told))


# Events and target prices


def _reactions(facts: Facts) -> Iterable[Text]:
    by_event = groupby(facts.reactions, key=lambda row: (row["event_id"], row["event_date"]))
    for _, group in by_event:
        rows = list(group)
        yield say(
            "{what} ({day}): {reactions}.",
            what=rows[0].figure("what", "sentence"),
            day=rows[0].figure("event_date", "date"),
            reactions=listed([_reaction(facts, row) for row in rows]),
        )


def _reaction(facts: Facts, row: Row) -> Text:
    text = say(
        "the {basket} basket did {relative} percentage points against its benchmark",
        basket=facts.basket_names[row["basket"]].figure("name", "text"),
        relative=row.figure("relative_return_pct", "points"),
    )
    if row["is_muted"] is None:
        return text
    return text + say(
        " ({inside} its usual range of {low} to {high})",
        inside="muted, inside" if row["is_muted"] else "outside",
        low=row.figure("usual_low_pct", "bound"),
        high=row.figure("usual_high_pct", "bound"),
    )


def _targets(facts: Facts) -> Iterable[Text]:
    for row in facts.targets:
        text = say(
            "{broker} puts its target price of {name} at {target} {currency}",
            broker=row.figure("broker", "text"),
            name=row.figure("name", "short_name"),
            target=row.figure("target", "price"),
            currency=CURRENCIES.get(row["currency"], row["currency"]),
        )
        if row["previous_target"] is not None:
            text += say(", after {before}", before=row.figure("previous_target", "price"))
        if row["upside_pct"] is not None:
            sign = direction(row["upside_pct"])
            text += (
                say(
                    ", {size} {side} its close",
                    side="above" if sign > 0 else "below",
                    size=row.figure("upside_pct", "pct_size"),
                )
                if sign
                else say(", the same as its close")
            )
        yield (*text, ".")


# What is missing, what was claimed


def _closed_regions(facts: Facts) -> Iterable[Text]:
    for region in REGIONS:
        if facts.open_markets(region):
            continue
        markets = [market for market in facts.markets if market["region"] == region]
        places = listed([say(PLACES[market["market"]]) for market in markets])
        last = [facts.last_sessions.get(market["market"]) for market in markets]
        text = say(
            "{places} {were} closed",
            places=places,
            were="was" if len(markets) == 1 else "were",
        )
        if last[0]:
            text += say("; the last session there was on {day}", day=_day(last[0]))
        yield (*text, ".")


def _day(session: Row) -> Figure:
    return session.figure("trade_date", "date")


def _closed(facts: Facts) -> Story:
    last = [
        (PLACES[market["market"]], session)
        for market in facts.markets
        if (session := facts.last_sessions.get(market["market"]))
    ]
    places = listed([say(PLACES[market["market"]]) for market in facts.markets])
    paragraphs = [
        say(
            "{places} were closed on {weekday}, {day}.",
            places=places,
            weekday=weekday(facts.trade_date),
            day=facts.report.figure("trade_date", "date"),
        )
    ]
    if len({session["trade_date"] for _, session in last}) == 1:
        paragraphs.append(say("They last traded on {day}.", day=_day(last[0][1])))
    elif last:
        days = [say("{place} on {day}", place=place, day=_day(row)) for place, row in last]
        paragraphs.append(say("The last sessions were in {days}.", days=listed(days)))
    return Story(say("Markets closed"), paragraphs)


def _claims(facts: Facts) -> Iterable[Text]:
    if not facts.claims:
        return
    counts = {
        verdict: facts.verdicts[verdict].figure("count(*)", "count")
        for verdict in ("all", "confirmed", "contradicted", "no_data")
        if verdict in facts.verdicts
    }
    told = [
        say("{verb} {count}", verb=verb, count=counts[verdict])
        for verdict, verb in (("confirmed", "confirms"), ("contradicted", "contradicts"))
        if verdict in counts
    ]
    if told:
        yield say(
            "Of {all} figures published elsewhere about the day, the warehouse {told}.",
            all=counts["all"],
            told=listed(told),
        )
    if "no_data" in counts:
        yield say(
            "No file has what it takes to check {count} of the figures published elsewhere.",
            count=counts["no_data"],
        )
    for claim in facts.claims:
        if claim["verdict"] == "contradicted":
            yield say(
                "Contradicted: {statement} ({source}). {explanation}",
                statement=claim.figure("statement", "sentence"),
                source=claim.figure("source", "text"),
                explanation=claim.figure("explanation", "text"),
            )


def _missing(facts: Facts) -> Iterable[Text]:
    with_close = {row["symbol"] for row in facts.indices}
    without = [
        say("the {name}", name=row.figure("name", "text"))
        for row in facts.followed
        if row["symbol"] not in with_close and row["market"] in facts.sessions
    ]
    if without:
        yield say("No file states a close of {names}.", names=listed(without, "or"))
    unpriced = [
        say(PLACES[market["market"]])
        for market in facts.markets
        if market["market"] in facts.sessions and market["market"] not in facts.breadth
    ]
    if unpriced:
        yield say("No file states closes of securities of {places}.", places=listed(unpriced, "or"))
    if facts.coverage:
        yield say("Not every delivery that is due has arrived whole; what lacks is listed below.")
