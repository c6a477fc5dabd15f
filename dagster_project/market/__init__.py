"""The market's own words: record kinds, calendar, symbols, units."""
