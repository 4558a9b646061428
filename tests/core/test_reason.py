"""The table of reasons can say everything that the most complete public set can."""

from __future__ import annotations

from heliograph.core.reason import REASONS, words

# Sinch Conversation API, reason codes of a delivery failure (OpenAPI document of the Conversation API), and sub codes.
PUBLIC = [
    "UNKNOWN",
    "INTERNAL_ERROR",
    "RATE_LIMITED",
    "RECIPIENT_INVALID_CHANNEL_IDENTITY",
    "RECIPIENT_NOT_REACHABLE",
    "RECIPIENT_NOT_OPTED_IN",
    "OUTSIDE_ALLOWED_SENDING_WINDOW",
    "CHANNEL_FAILURE",
    "CHANNEL_BAD_CONFIGURATION",
    "CHANNEL_CONFIGURATION_MISSING",
    "MEDIA_TYPE_UNSUPPORTED",
    "MEDIA_TOO_LARGE",
    "MEDIA_NOT_REACHABLE",
    "NO_CHANNELS_LEFT",
    "TEMPLATE_NOT_FOUND",
    "TEMPLATE_INSUFFICIENT_PARAMETERS",
    "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION",
    "DELIVERY_TIMED_OUT",
    "DELIVERY_REJECTED_DUE_TO_POLICY",
    "CONTACT_NOT_FOUND",
    "BAD_REQUEST",
    "UNKNOWN_APP",
    "NO_CHANNEL_IDENTITY_FOR_CONTACT",
    "CHANNEL_REJECT",
    "NO_PERMISSION",
    "NO_PROFILE_AVAILABLE",
    "UNSUPPORTED_OPERATION",
    "INACTIVE_CREDENTIAL",
    "MESSAGE_EXPIRED",
    "MESSAGE_SPLIT_REQUIRED",
    "DELIVERY_REPORT_TIME_OUT",
    "ATTACHMENT_REJECTED",
    "MEDIA_TYPE_UNDETERMINED",
    "INACTIVE_SENDER",
]


def test_every_public_reason_has_one_of_ours():
    ours = [other for reason in REASONS.values() for other in reason.others]
    assert sorted(ours) == sorted(PUBLIC)


def test_a_code_is_one_word_and_says_something():
    for code, reason in REASONS.items():
        assert code == reason.code == code.lower().replace(" ", "_")
        assert reason.words.endswith(".")
    assert words("opted_out") == REASONS["opted_out"].words
    assert words("a_new_one") == "a_new_one"
