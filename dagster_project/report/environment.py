"""How the templates in `templates/` are read and filled.

Belongs here: the settings of Jinja. Does not belong here: what a template is given.
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

environment = Environment(
    loader=PackageLoader("dagster_project.report"),
    autoescape=lambda name: bool(name and name.endswith((".html.j2", ".xml.j2"))),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
