"""Judges JSON by a schema of an OpenAPI 3.0 description. `openapi.py DESCRIPTION SCHEMA FILE…`; what is wrong is printed, and ends in 1.

In OpenAPI 3.0 what stands beside a `$ref` does not count, as in draft 4 of JSON Schema."""

import json
import sys

import jsonschema_rs
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    description = yaml.safe_load(file)
schema = {"$ref": "#/components/schemas/" + sys.argv[2], "components": description["components"]}
validator = jsonschema_rs.Draft4Validator(schema)
wrong = 0
for path in sys.argv[3:]:
    with open(path, encoding="utf-8") as file:
        instance = json.load(file)
    for error in validator.iter_errors(instance):
        wrong += 1
        print(path, error.instance_path, error.message[:200])
sys.exit(1 if wrong else 0)
