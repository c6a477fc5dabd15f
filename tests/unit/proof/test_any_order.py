"""Which histories of the proof of any order are played by the Dagster job."""

from tests.proof.any_order import Part


def test_every_tenth_history_of_a_run_is_played_by_the_job() -> None:
    part = Part(seed=2, first=26, histories=25, dagster_every=10)
    played = [part.first + number for number in range(25) if part.is_in_dagster(number)]
    assert played == [30, 40, 50]


def test_without_the_option_no_history_is_played_by_the_job() -> None:
    part = Part(seed=1, first=1, histories=25, dagster_every=0)
    assert not any(part.is_in_dagster(number) for number in range(25))
