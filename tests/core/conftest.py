"""The source document's own call, its site and its template."""

import msgspec
import pytest

from heliograph.core.alert import AlertRequest
from heliograph.core.content import Card, CardBody, Height, Media, Reply
from heliograph.core.site import Site
from heliograph.core.template import Template, Variable


@pytest.fixture
def request_of_the_page() -> AlertRequest:
    return AlertRequest(
        site="25508804",
        skill="service",
        country_code="1",
        phone="7703101414",
        external_customer_id="123",
        external_customer_id_descriptor="VIP",
        external_alert_id="1265168451",
        alert_info=msgspec.Raw(b'{"Sky Miles":1234567890,"T-Shirt Size":"Large"}'),
        first_name="Matt",
        last_name="Fanning",
        channel="",
        language="english",
        template="flightdelay",
        variables={"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"},
        version_tag="1",
        key="ck",
    )


@pytest.fixture
def site() -> Site:
    return Site(id="25508804", name="Acme Air", skills=("service", "sales"))


@pytest.fixture
def flightdelay() -> Template:
    def card(description: str) -> Card:
        return Card(
            card=CardBody(
                title="Tap to Select Desired Action",
                description=description,
                media=Media(upload="ab" * 32, height=Height.TALL),
                suggestions=(
                    Reply(text="See Menu of Functions", postback="postback_data_Menu"),
                    Reply(text="Learn More", postback="postback_data_LearnMore"),
                ),
            )
        )

    return Template(
        site="25508804",
        name="flightdelay",
        version="2",
        tags=("1",),
        variables=(
            Variable(name="Time", example="7:35 pm"),
            Variable(name="City", example="Kansas City"),
            Variable(name="Gate", example="C35"),
        ),
        languages={
            "en": {"rcs": card("Your flight to @City leaves at @Time from gate @Gate.")},
            "es": {"rcs": card("Su vuelo a @City sale a las @Time, puerta @Gate.")},
        },
        fallback_language="en",
    )
