"""Closing Bell: an end-of-day market warehouse.

The modules beside this file are the market's own logic in plain Python and import no Dagster;
`defs/` holds what Dagster shows, one file a concept; `feeds/` holds one YAML spec a feed.
"""
