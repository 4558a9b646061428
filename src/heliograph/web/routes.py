"""ONE table: every address of this server, who may call it, and what answers. The OpenAPI document is made from it."""

from __future__ import annotations

from collections.abc import Collection

from heliograph.web import callbacks, desk_callbacks, docs, health
from heliograph.web.console.rows import ROWS as CONSOLE
from heliograph.web.livedeflect import discovery, proactive_alert, proactive_reporting
from heliograph.web.route import Auth, Listener, Route
from heliograph.web.v1 import alerts, capabilities, conversations, explain, files, opt_outs, recipients

# fmt: off
ROUTES: tuple[Route, ...] = (
    # The LiveDeflect API
    Route("POST", "/api/proactiveAlert", proactive_alert.answer, Auth.OAUTH1, Listener.PUBLIC,
          "Send one proactive alert", proactive_alert.DOCS),
    Route("GET", "/api/proactiveReporting", proactive_reporting.answer, Auth.OAUTH1, Listener.PUBLIC,
          "What became of a site's alerts", proactive_reporting.DOCS),
    Route("POST", "/api/proactiveReporting", proactive_reporting.answer, Auth.OAUTH1, Listener.PUBLIC,
          "What became of a site's alerts (parameters in a body)", proactive_reporting.DOCS),
    Route("GET", "/api/account/{siteId}/service/{serviceName}/baseURI.json", discovery.service, Auth.OPEN,
          Listener.PUBLIC, "Where a service is", discovery.SERVICE_DOCS),
    Route("GET", "/api/account/{siteId}/baseURI.json", discovery.services, Auth.OPEN,
          Listener.PUBLIC, "Where all services are", discovery.SERVICES_DOCS),
    # What callers of the original write for all services
    Route("GET", "/api/account/{siteId}/service/baseURI.json", discovery.services, Auth.OPEN,
          Listener.PUBLIC, "Where all services are (the longer address)", discovery.SERVICES_DOCS),
    # The native API
    Route("POST", "/v1/alerts", alerts.new, Auth.KEY, Listener.PUBLIC,
          "Begin one alert", alerts.NEW_DOCS, alerts.SENDS),
    Route("GET", "/v1/alerts", alerts.list_, Auth.KEY, Listener.PUBLIC,
          "List alerts", alerts.LIST_DOCS, alerts.READS),
    Route("GET", "/v1/alerts/{id}", alerts.one, Auth.KEY, Listener.PUBLIC,
          "The record of one alert", alerts.ONE_DOCS, alerts.READS),
    Route("POST", "/v1/alerts/explain", explain.answer, Auth.KEY, Listener.PUBLIC,
          "What would become of an alert, without sending it", explain.DOCS, explain.SCOPE),
    Route("POST", "/v1/capabilities", capabilities.answer, Auth.KEY, Listener.PUBLIC,
          "Who can be reached on which channel", capabilities.DOCS, capabilities.SCOPE),
    Route("GET", "/v1/opt-outs", opt_outs.list_, Auth.KEY, Listener.PUBLIC,
          "Who wants no messages", opt_outs.LIST_DOCS, opt_outs.SCOPE),
    Route("POST", "/v1/opt-outs", opt_outs.add, Auth.KEY, Listener.PUBLIC,
          "A recipient wants no more messages", opt_outs.ADD_DOCS, opt_outs.SCOPE),
    Route("DELETE", "/v1/opt-outs", opt_outs.remove, Auth.KEY, Listener.PUBLIC,
          "A recipient wants messages again", opt_outs.REMOVE_DOCS, opt_outs.SCOPE),
    Route("DELETE", "/v1/recipients", recipients.remove, Auth.KEY, Listener.PUBLIC,
          "Erase a recipient", recipients.DOCS, recipients.SCOPE),
    Route("GET", "/v1/conversations", conversations.list_, Auth.KEY, Listener.PUBLIC,
          "What recipients answered", conversations.LIST_DOCS, conversations.READS),
    Route("GET", "/v1/conversations/{id}", conversations.one, Auth.KEY, Listener.PUBLIC,
          "One conversation with its turns", conversations.ONE_DOCS, conversations.READS),
    Route("POST", "/v1/conversations/{id}/turns", conversations.say, Auth.KEY, Listener.PUBLIC,
          "Answer a recipient", conversations.SAY_DOCS, conversations.WRITES),
    Route("GET", "/v1/conversations/{id}/turns/{number}/files/{place}", files.one, Auth.KEY, Listener.PUBLIC,
          "A file that a recipient sent", files.DOCS, files.READS),
    Route("POST", "/v1/conversations/{id}/close", conversations.close, Auth.KEY, Listener.PUBLIC,
          "Close a conversation", conversations.CLOSE_DOCS, conversations.WRITES),
    # Providers' callbacks. Some ask whether the address is ours with a GET
    Route("POST", "/callbacks/{channel}/{provider}/{site}/{sender}", callbacks.answer, Auth.CALLBACK,
          Listener.PUBLIC, "What a provider tells us", callbacks.DOCS),
    Route("GET", "/callbacks/{channel}/{provider}/{site}/{sender}", callbacks.answer, Auth.CALLBACK,
          Listener.PUBLIC, "A provider asks whether the address is ours", callbacks.DOCS),
    Route("POST", "/callbacks/desk/{desk}/{site}", desk_callbacks.answer, Auth.CALLBACK, Listener.PUBLIC,
          "What a site's desk tells us", desk_callbacks.DOCS),
    # Documentation. Somebody who opens the bare address in a browser is a reader
    Route("GET", "/", docs.page, Auth.OPEN, Listener.PUBLIC, "The API's documentation", docs.PAGE_DOCS),
    Route("GET", "/docs", docs.page, Auth.OPEN, Listener.PUBLIC, "The API's documentation", docs.PAGE_DOCS),
    Route("GET", "/openapi.json", docs.openapi, Auth.OPEN, Listener.PUBLIC, "This document", docs.OPENAPI_DOCS),
    # Operations
    Route("GET", "/healthz", health.alive, Auth.OPEN, Listener.BOTH, "Whether the process is alive", health.ALIVE_DOCS),
    Route("GET", "/readyz", health.ready, Auth.OPEN, Listener.BOTH, "Whether calls can be served", health.READY_DOCS),
    Route("GET", "/metrics", health.metrics, Auth.PRIVATE, Listener.PRIVATE, "Prometheus metrics", health.METRICS_DOCS),
    # The console, for people; no part of the API
    *CONSOLE,
)
# fmt: on


def standing(*, console: bool, desks: Collection[str]) -> tuple[Route, ...]:
    """The rows of this installation: without a console none of its rows, without a desk none of that desk's."""
    return tuple(
        route
        for route in ROUTES
        if (console or not route.path.startswith("/console")) and (not route.desk or route.desk in desks)
    )
