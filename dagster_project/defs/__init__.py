"""What Dagster shows: one file a concept. The market's own logic lives one folder up."""
