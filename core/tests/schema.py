"""Checks every FOLDER/NAME.*.json, and each line of every FOLDER/NAME.*.jsonl, against docs/schema/NAME.schema.json.

What nobody has described fails, too: a schema is closed here, though published it is open to new members.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

# Where the schemas below do not stand by themselves: they add to what is beside them.
PARTS = {"allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependentSchemas"}
OF_OBJECTS = {"properties", "$ref", "allOf", "anyOf", "oneOf", "if"}


def closed(schema, part=False):
    """The schema, with nothing allowed in an object but what it describes."""
    if isinstance(schema, list):
        return [closed(one, part) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            out[key] = {name: closed(one) for name, one in value.items()}
        elif key in ("$defs", "dependentSchemas"):
            out[key] = {name: closed(one, True) for name, one in value.items()}
        elif key in ("const", "enum"):
            out[key] = value
        else:
            out[key] = closed(value, key in PARTS)
    if not part and OF_OBJECTS & out.keys() and "additionalProperties" not in out:
        out["unevaluatedProperties"] = False
    return out


folder = pathlib.Path(__file__).parents[2] / "docs/schema"
schemas = {}
for path in folder.glob("*.schema.json"):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    schemas[path.name] = closed(schema)
registry = Registry().with_resources(
    (name, DRAFT202012.create_resource(schema)) for name, schema in schemas.items()
)
validators = {
    name: Draft202012Validator(schema, registry=registry) for name, schema in schemas.items()
}


def shape(value):
    """What two values have in common that the same words of a schema are about."""
    if isinstance(value, dict):
        return tuple(sorted((key, shape(one)) for key, one in value.items()))
    if isinstance(value, list):
        return ("list", *sorted({shape(one) for one in value}, key=repr))
    if isinstance(value, (bool, str)) or value is None:
        return value
    return (type(value).__name__, value < 0)


checked, seen = 0, set()
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    name = path.name.split(".")[0]
    validator = validators[f"{name}.schema.json"]
    text = path.read_text()
    for line in text.rstrip("\n").split("\n") if path.suffix == ".jsonl" else [text]:
        value = json.loads(line)
        checked += 1
        # Lines by the hundred thousand differ in numbers alone.
        alike = (name, shape(value))
        if alike in seen:
            continue
        seen.add(alike)
        for error in validator.iter_errors(value):
            sys.exit(f"{path.name}: {error.json_path}: {error.message[:2000]}\nin {line[:2000]}")
assert checked, "nothing to check"
print(f"{checked} checked, {len(seen)} of them different in more than numbers")
