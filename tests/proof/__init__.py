"""Proofs of the laws: each runs small in `make test`, and whole from a command (`make prove`)."""
