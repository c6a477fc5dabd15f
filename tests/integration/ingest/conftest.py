"""A new landing folder and warehouse for each test of ingest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ingest.support import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with house.con:
        yield house
