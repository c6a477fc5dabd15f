select feed, problem as what from raw.feed_problem order by feed
