"""The OpenAPI 3.1 document, made from the route table and the types that its rows name. Pure."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from heliograph import __version__
from heliograph.web.route import Auth, Listener, Route

_REF = "#/components/schemas/{name}"
_braced = re.compile(r"\{(\w+)\}").findall
_SECURITY: dict[Auth, list[dict[str, list[str]]]] = {Auth.OAUTH1: [{"oauth1": []}]}


def document(routes: Iterable[Route], server: str) -> dict[str, Any]:
    """The document for the rows of the public listener. `server`: scheme and host of the addresses."""
    public = [route for route in routes if route.docs is not None and route.listener is not Listener.PRIVATE]
    paths: dict[str, dict[str, Any]] = {}
    for route in public:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "heliograph",
            "version": __version__,
            "summary": "One signed call reaches a person on the channel that works.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": _schemas(public),
            "securitySchemes": {
                "oauth1": {
                    "type": "http",
                    "scheme": "OAuth",
                    "description": "OAuth 1.0a in the Authorization header (RFC 5849 section 3.5.1).",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A bearer key: `heliograph keys create SITE --bearer`.",
                },
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    assert route.docs is not None
    docs = route.docs
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": route.summary,
        "description": docs.about,
        "responses": {
            str(said.status): {
                "description": said.means,
                **({"headers": {name: _header(about) for name, about in said.headers.items()}} if said.headers else {}),
                **({"content": {said.media: {"schema": _schema(said.shape)}}} if said.shape else {}),
            }
            for said in docs.says
        },
    }
    if route.auth is Auth.KEY:
        # OpenAPI 3.1 lets a requirement of any scheme name the roles that it needs; OAuth 1.0a keys have scopes too.
        scopes = [route.scope.value] if route.scope else []
        operation["security"] = [{"bearer": scopes}, {"oauth1": scopes}]
    elif route.auth in _SECURITY:
        operation["security"] = _SECURITY[route.auth]
    in_path = _braced(route.path)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in in_path
    ]
    for name, about in docs.params.items():
        if name not in in_path:
            parameters.append({"name": name, "in": "header", "description": about, "schema": {"type": "string"}})
    for name, about in docs.query.items():
        parameters.append({"name": name, "in": "query", "description": about, "schema": {"type": "string"}})
    for parameter in parameters:
        if parameter["name"] in docs.params:
            parameter["description"] = docs.params[parameter["name"]]
    if parameters:
        operation["parameters"] = parameters
    if docs.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _schema(docs.takes), "example": example(docs.takes)}},
        }
    return operation


def example(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """An object made of the examples that a struct's fields name, in the struct's order."""
    schema = msgspec.json.schema(shape)["$defs"][shape.__name__]["properties"]
    return {name: field["examples"][0] for name, field in schema.items() if field.get("examples")}


def _header(about: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string"}}


def _parts(shape: Any) -> tuple[Any, ...]:
    return typing.get_args(shape) if isinstance(shape, types.UnionType) else (shape,)


def _schema(shape: Any) -> dict[str, Any]:
    refs = [{"$ref": _REF.format(name=part.__name__)} for part in _parts(shape)]
    return refs[0] if len(refs) == 1 else {"oneOf": refs}


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for route in routes:
        if route.docs is None:
            continue
        for shape in (route.docs.takes, *(said.shape for said in route.docs.says)):
            if shape is not None:
                named |= {part.__name__: part for part in _parts(shape)}
    _, components = msgspec.json.schema_components(list(named.values()), ref_template=_REF)
    return components
