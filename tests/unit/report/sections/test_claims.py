"""The sentences about figures published elsewhere."""

from dagster_project.report.figures import Row
from tests.unit.report.support import row, story


def test_contradicted_claims_are_told() -> None:
    def claim(verdict: str) -> Row:
        values = {"source": "RTHK", "statement": "It stands high.", "explanation": "It does not."}
        return row("published_figure_check", {"claim_id": verdict}, verdict=verdict, **values)

    def verdict(name: str, number: int) -> Row:
        return row("published_figure_check", {"verdict": name}, **{"count(*)": number})

    verdicts = {"all": 4, "confirmed": 2, "contradicted": 1, "no_data": 1}
    _, paragraphs = story(
        claims=[claim("contradicted"), claim("confirmed")],
        counts={name: verdict(name, number) for name, number in verdicts.items()},
    )
    assert (
        "Of 4 figures published elsewhere about the day, the warehouse confirms 2. It contradicts "
        "this: It stands high." in paragraphs
    )
