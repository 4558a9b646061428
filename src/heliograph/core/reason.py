"""Why something was not sent or not delivered: our codes, one table for all channels.

A provider's own codes are mapped to these by tables in its folder; a word that no table knows becomes `unknown` and is
kept beside it as it came. The third column is the reason of the same meaning in Sinch's Conversation API, the most
complete public set: whoever moves from there finds every one of them again.
"""

from __future__ import annotations

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """`code` stands in records, answers and webhooks; `words` say it to a person; `others`: the same elsewhere."""

    code: str
    words: str
    others: tuple[str, ...] = ()


REASONS: dict[str, Reason] = {
    reason.code: reason
    for reason in (
        Reason("unknown", "The provider gave a reason that this version does not know.", ("UNKNOWN",)),
        Reason("provider_fault", "The provider had a fault of its own.", ("INTERNAL_ERROR",)),
        Reason("throttled", "The provider's rate limit was reached.", ("RATE_LIMITED",)),
        Reason(
            "invalid_recipient",
            "The number is not one that this channel can address.",
            ("RECIPIENT_INVALID_CHANNEL_IDENTITY",),
        ),
        Reason(
            "cannot_reach",
            "The recipient cannot be reached on this channel.",
            ("RECIPIENT_NOT_REACHABLE", "NO_CHANNEL_IDENTITY_FOR_CONTACT", "NO_PROFILE_AVAILABLE"),
        ),
        Reason("not_opted_in", "The recipient has not agreed to messages.", ("RECIPIENT_NOT_OPTED_IN",)),
        Reason("opted_out", "The recipient wants no messages."),
        Reason("blocked", "The recipient, the phone or the network blocks this sender."),
        Reason(
            "outside_window",
            "The recipient has not written within the provider's window; only a named message may be sent.",
            ("OUTSIDE_ALLOWED_SENDING_WINDOW",),
        ),
        Reason("channel_fault", "The network behind the provider failed.", ("CHANNEL_FAILURE",)),
        Reason(
            "credentials_refused",
            "The provider refused the sender's credentials.",
            ("CHANNEL_BAD_CONFIGURATION", "INACTIVE_CREDENTIAL"),
        ),
        Reason(
            "sender_not_usable",
            "The sender is not set up, not active or not known at the provider.",
            ("CHANNEL_CONFIGURATION_MISSING", "UNKNOWN_APP", "INACTIVE_SENDER"),
        ),
        Reason("sender_not_allowed", "The sender may not send to this recipient.", ("NO_PERMISSION",)),
        Reason("payment", "The account at the provider has no credit or no payment method."),
        Reason(
            "media_unsupported",
            "A medium has a type that the channel does not take.",
            ("MEDIA_TYPE_UNSUPPORTED", "MEDIA_TYPE_UNDETERMINED", "ATTACHMENT_REJECTED"),
        ),
        Reason("too_large", "A medium or the message is too large.", ("MEDIA_TOO_LARGE", "MESSAGE_SPLIT_REQUIRED")),
        Reason("media_unreachable", "The provider could not fetch a medium.", ("MEDIA_NOT_REACHABLE",)),
        Reason("no_channel_left", "Every channel was tried or ruled out.", ("NO_CHANNELS_LEFT",)),
        Reason("template_unknown", "The provider knows no such template.", ("TEMPLATE_NOT_FOUND",)),
        Reason(
            "template_parameters",
            "The values do not fit the provider's template.",
            ("TEMPLATE_INSUFFICIENT_PARAMETERS",),
        ),
        Reason(
            "template_language",
            "The provider's template has no such language or version.",
            ("TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION",),
        ),
        Reason("template_paused", "The provider has paused or disabled the template."),
        Reason(
            "policy",
            "The provider, a network or a filter held it to be against its rules.",
            ("DELIVERY_REJECTED_DUE_TO_POLICY",),
        ),
        Reason("recipient_cap", "The provider holds back further messages to this recipient for now."),
        Reason("unknown_recipient", "The provider does not know the recipient.", ("CONTACT_NOT_FOUND",)),
        Reason("invalid_message", "The message is not valid for this channel.", ("BAD_REQUEST",)),
        Reason("rejected", "The network rejected the message and gave no reason.", ("CHANNEL_REJECT",)),
        Reason("unsupported", "The channel cannot do what was asked.", ("UNSUPPORTED_OPERATION",)),
        Reason(
            "no_receipt",
            "It was taken, and no receipt came until its end.",
            ("DELIVERY_TIMED_OUT", "DELIVERY_REPORT_TIME_OUT"),
        ),
        Reason("expired", "The provider did not deliver it before its time ended.", ("MESSAGE_EXPIRED",)),
        Reason("part_lost", "A part of the message did not arrive."),
        Reason("not_in_time", "It did not reach the status that its step needs in time, and was taken back."),
        Reason("assumed_sent", "It was handed over, no answer came, and by the site's rule it passes for sent."),
        Reason("in_doubt", "It was handed over and no answer came."),
        Reason("never_settled", "It was still in doubt when its time ended."),
        Reason("settled_sent", "It was in doubt, and an operator settled it as sent."),
        Reason("settled_failed", "It was in doubt, and an operator settled it as failed."),
        Reason("sent_again", "It was in doubt, and an operator had the alert sent again; this one may have arrived."),
        Reason("not_sent", "Nothing was handed over before the call's deadline, and nothing will be."),
    )
}


def words(code: str) -> str:
    """The sentence for a code; the code itself where the table has none."""
    reason = REASONS.get(code)
    return reason.words if reason else code
