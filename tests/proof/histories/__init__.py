"""Histories of deliveries to a small market, for the proof that their order does not matter."""
