"""Checks every FOLDER/*.json against docs/schema/summary.schema.json."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

schema = pathlib.Path(__file__).parents[2] / "docs/schema/summary.schema.json"
schema = json.loads(schema.read_text())
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
paths = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
assert paths
for path in paths:
    summary = json.loads(path.read_text())
    for error in validator.iter_errors(summary):
        sys.exit(f"{path.name}: {error.json_path}: {error.message}")
    # What nobody has described would pass without this.
    unknown = set(summary) - set(schema["properties"])
    if unknown:
        sys.exit(f"{path.name}: members that the schema does not describe: {unknown}")
