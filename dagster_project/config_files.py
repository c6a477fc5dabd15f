"""Reading YAML that people write, so that every mistake in it is told with its file and line.

Belongs here: reading such a file into its pydantic model. Does not belong here: what may stand in
it, which its model says (`feed.py`, `alerts.py`, `audit/`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(
    path: Path, model: type[Model], error: type[ValueError], otherwise: str, unknown_key: str
) -> Model:
    """Read a YAML mapping into its model.

    Args:
        error: what is raised; its message has a line a mistake, `path:line: what`, and repeats
            no value, since that may be a secret.
        otherwise: what is told of a file that is no mapping.
        unknown_key: what is told of a key that the model does not know.

    Raises:
        error: cannot be read, is not YAML, has a key twice, or is not as the model describes it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
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
            "\n".join(f"{path}:{line}: {key}: stands here a second time" for key, line in repeated)
        )
    try:
        return model.model_validate(content)
    except ValidationError as invalid:
        lines = []
        for details in invalid.errors(include_input=False):
            # A validator of a whole model may say which of its keys it objects to.
            raised = details.get("ctx", {}).get("error")
            location = (*details["loc"], *getattr(raised, "location", ()))
            where = ".".join(map(str, location)) or path.stem
            message = details["msg"].removeprefix("Value error, ")
            if details["type"] == "extra_forbidden":
                message = unknown_key
            lines.append(f"{path}:{_line_of(root, location)}: {where}: {message}")
        raise error("\n".join(lines)) from None


def _repeated_keys(node: Any) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice, which YAML would take without a word."""
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
    """The line on which an error's location stands, as deep as it can be followed."""
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
