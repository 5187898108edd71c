"""The simulator's answers held against the vendor's own description, where that is at hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nimble_async.testing import Simulator, World

DESCRIPTION = Path(__file__).parents[3] / "shared" / "api" / "nimble" / "openapi.yml"

DEVIATIONS = {
    # Samples and live tests of others show what the schemas do not say.
    ("contacts", "avatar_url", "type"): "null where there is no picture",
    ("contacts", "is_important", "type"): "declared an object, seen as null and boolean",
    ("contacts", "tags/*", "type"): "declared strings, seen as {tag, id}",
    ("contacts", "fields/*/*", "required"): "older samples have no field_id",
    ("contacts", "resources/*", "required"): "samples have no company_last_contacted, reminder and notice",
    ("contacts", "last_contacted/*", "type"): "declared objects, seen as strings and null",
    ("deals", "privacy/*", "type"): "null means everyone, as for contacts",
    ("stages", "meta/next_page_url", "type"): "null at the end",
}


def _resolved(description: dict[str, Any], node: Any, above: tuple[str, ...] = ()) -> Any:
    """Put references in, turn `nullable` into JSON Schema, and leave what refers to itself open."""
    if isinstance(node, list):
        return [_resolved(description, member, above) for member in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        if node["$ref"] in above:
            return {}
        target: Any = description
        for step in node["$ref"].split("/")[1:]:
            target = target[step]
        return _resolved(description, target, (*above, node["$ref"]))
    found = {
        name: _resolved(description, member, above)
        for name, member in node.items()
        if name not in {"example", "discriminator"}
    }
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found


def _place(path: Any) -> str:
    """Name a place in an answer without numbers and field names."""
    text = "/".join("*" if isinstance(step, int) else str(step) for step in path)
    text = re.sub(r"^(resources|stages|pipelines)/\*/", "", text)
    text = re.sub(r"^deals/\*/", "", text)
    text = re.sub(r"^fields/[^/]+/\*", "fields/*/*", text)
    return re.sub(r"^(last_contacted|privacy)/[^/]+$", r"\1/*", text)


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="the vendor's description is not at hand")
def test_answers_are_as_described_but_for_known_deviations(ask):
    """Every answer fits its schema, except where samples contradict the schemas; those places are listed."""
    import jsonschema
    import yaml

    description = yaml.safe_load(DESCRIPTION.read_text())
    simulator = Simulator(World(contacts=120, deals=80))
    pipelines = ask(simulator, "/api/v2/deals/pipelines").body["pipelines"]
    stages = f"/api/v2/deals/pipelines/{pipelines[0]['pipeline_id']}/deals"
    answers: list[tuple[str, str, str, dict[str, Any]]] = [
        ("users", "/api/v1/myself", "/api/v1/myself", {}),
        ("contacts", "/api/v1/contacts", "/api/v1/contacts", {"per_page": 120}),
        ("contacts", "/api/v1/contacts/ids", "/api/v1/contacts/ids", {}),
        (
            "contacts",
            "/api/v1/contact",
            "/api/v1/contact",
            {"id": simulator.world.contacts.id_of(3), "meta": 1},
        ),
        (
            "contacts",
            "/api/v1/contact/{contact_id}",
            f"/api/v1/contact/{simulator.world.contacts.id_of(3)}",
            {"meta": 1},
        ),
        ("deals", "/api/v2/deals", "/api/v2/deals", {"sort": "name:asc", "limit": 80}),
        ("deals", "/api/v2/deals/{deal_id}", f"/api/v2/deals/{simulator.world.deals.id_of(3)}", {}),
        ("pipelines", "/api/v2/deals/pipelines", "/api/v2/deals/pipelines", {}),
        ("stages", "/api/v2/deals/pipelines/{pipeline_id}/deals", stages, {"sort": "name:asc"}),
    ]
    seen = set()
    for kind, template, path, query in answers:
        schema = description["paths"][template]["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]
        answer = ask(simulator, path, **query)
        assert answer.status == 200
        for error in jsonschema.Draft202012Validator(_resolved(description, schema)).iter_errors(answer.body):
            place = _place(error.absolute_path)
            seen.add(
                (
                    "deals" if place.startswith("privacy") and kind == "stages" else kind,
                    place,
                    error.validator,
                )
            )
    assert seen == set(DEVIATIONS)


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="the vendor's description is not at hand")
def test_refusals_are_as_described(ask):
    """409 and 404 have the members that the description requires."""
    import jsonschema
    import yaml

    description = yaml.safe_load(DESCRIPTION.read_text())
    simulator = Simulator(World(contacts=2, deals=2))
    refusals: list[tuple[str, str, int, dict[str, Any]]] = [
        ("/api/v1/contacts", "/api/v1/contacts", 409, {"sort": "x"}),
        ("/api/v1/contacts", "/api/v1/contacts", 409, {"query": {"title": {"is": ""}}}),
        ("/api/v1/contacts/ids", "/api/v2/deals", 409, {}),
        ("/api/v2/deals/{deal_id}", "/api/v2/deals/x", 404, {}),
    ]
    for template, path, status, query in refusals:
        content = description["paths"][template]["get"]["responses"][str(status)]["content"]
        schema = _resolved(description, content["application/json"]["schema"])
        answer = ask(simulator, path, **query)
        assert answer.status == status
        assert not list(jsonschema.Draft202012Validator(schema).iter_errors(answer.body))
