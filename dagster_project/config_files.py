"""Reading YAML and CSV files that people write, and reporting each mistake with file and line.

Belongs here: reading such a file into its pydantic model. Does not belong here: what the file may
contain, which its model says (`ingest/feed_spec.py`, `market/seeds.py`, `alerts/`, `audit/`).

It is code of our own because pydantic does not know on which line a mistake is.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

TIME_OF_DAY = r"([01]\d|2[0-3]):[0-5]\d"

Model = TypeVar("Model", bound=BaseModel)


def _filled(text: Any) -> Any:
    if isinstance(text, str) and not text.strip():
        raise ValueError("is empty")
    return text.strip() if isinstance(text, str) else text


def _day(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"is {text!r}, not a date YYYY-MM-DD") from None


def _truth(text: Any) -> Any:
    if text not in ("true", "false", True, False):
        raise ValueError(f"is {text!r}, neither true nor false")
    return text in ("true", True)


def _time(text: Any) -> Any:
    if not (isinstance(text, str) and re.fullmatch(TIME_OF_DAY, text)):
        raise ValueError(f"is {text!r}, not a time HH:MM")
    return text


# Types of CSV cells that must not be empty. The last validator in the list runs first.
FilledText = Annotated[str, BeforeValidator(_filled)]
Day = Annotated[date, BeforeValidator(_day), BeforeValidator(_filled)]
TimeOfDay = Annotated[str, BeforeValidator(_time), BeforeValidator(_filled)]
TrueOrFalse = Annotated[bool, BeforeValidator(_truth), BeforeValidator(_filled)]


class CsvRow(BaseModel):
    """The base of models of CSV rows; columns that a model does not name are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Row = TypeVar("Row", bound=CsvRow)


def read_csv(path: Path, model: type[Row], error: type[ValueError]) -> Iterator[tuple[str, Row]]:
    """The rows of a CSV file, each with its place as `path:line`.

    Args:
        error: the type of error to raise.

    Raises:
        error: the file is not UTF-8, a column is missing, a line has too few or too many values, or
            a value is wrong.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            header = reader.fieldnames or []
            missing = [name for name in model.model_fields if name not in header]
            if missing:
                raise error(
                    f"{path}:1: column {', '.join(missing)} is missing; the header is "
                    f"{','.join(header) or 'empty'}"
                )
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if None in row or None in row.values():
                    raise error(
                        f"{where}: the line does not have {len(header)} values, as the header has; "
                        "quote a value that contains a comma"
                    )
                try:
                    yield where, model.model_validate(row)
                except ValidationError as invalid:
                    reasons = (
                        f"{details['loc'][0]} {details['msg'].removeprefix('Value error, ')}"
                        for details in invalid.errors(include_input=False)
                    )
                    raise error(f"{where}: {'; '.join(reasons)}") from None
        except (csv.Error, UnicodeDecodeError) as cause:
            raise error(f"{path}:{reader.line_num + 1}: not a UTF-8 CSV line: {cause}") from cause


def read_yaml(
    path: Path, model: type[Model], error: type[ValueError], otherwise: str, unknown_key: str
) -> Model:
    """Read a YAML mapping into its model.

    Args:
        error: the type of error to raise. Its message has one line per mistake, `path:line: what`,
            and repeats no value of the file, since that may be a secret.
        otherwise: the message for a file that is not a mapping.
        unknown_key: the message for a key that the model does not have.

    Raises:
        error: the file cannot be read, is not YAML, has a key twice, or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.SafeLoader("").construct_document(root) if root else None
        repeated = list(_repeated_keys(root))
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(cause, "problem", None) or cause
        raise error(f"{path}{line}: is not YAML: {problem}") from cause
    except (OSError, ValueError, RecursionError) as cause:
        raise error(f"{path}: cannot be read: {cause}") from cause
    if not isinstance(content, dict):
        raise error(f"{path}:1: {otherwise}")
    if repeated:
        raise error(
            "\n".join(
                f"{path}:{line}: {key}: is here a second time; keep one" for key, line in repeated
            )
        )
    try:
        return model.model_validate(content)
    except ValidationError as invalid:
        lines = []
        for details in invalid.errors(include_input=False):
            # A validator of a whole model can name the key that it objects to.
            raised = details.get("ctx", {}).get("error")
            location = (*details["loc"], *getattr(raised, "location", ()))
            where = ".".join(map(str, location)) or path.stem
            message = details["msg"].removeprefix("Value error, ")
            if details["type"] == "extra_forbidden":
                message = unknown_key
            lines.append(f"{path}:{_line_of(root, location)}: {where}: {message}")
        raise error("\n".join(lines)) from None


def _repeated_keys(node: Any) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice, with their lines; YAML itself would silently take one."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(str(key.value))
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _line_of(node: Any, location: tuple[Any, ...]) -> int:
    """The line of an error's location, followed as deep into the YAML nodes as possible."""
    line: int = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                break
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
