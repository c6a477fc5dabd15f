"""Landing to raw: feed specs, files, readers by format, row rules, file rules, changes."""
