"""Media that are uploaded once per sender and then referred to by the provider's name for them."""

from __future__ import annotations

from heliograph.core.alert import Attempt
from heliograph.core.content import Content, Media, media_of, with_references
from heliograph.core.ports import Uploaded
from heliograph.errors import Blame, Fate, SendError, StoreAway
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

BELIEVED = 3_600_000  # ms that a name from the store is used before it is asked for again: another node may renew it


async def named(attempt: Attempt, opened: OpenSender, means: Means, deadline: float) -> Content:
    """The attempt's content with the provider's names of its uploads, uploading those it does not know yet. Raises
    SendError; of the message itself nothing was handed over then."""
    media = _uploads(attempt)
    if not media:
        return attempt.content
    now = means.clock.now()
    references: dict[str, str] = {}
    for digest, medium in media.items():
        known = means.uploads.get((attempt.site, opened.known_as, digest))
        if known is not None and known[1] > now:
            references[digest] = known[0]
        else:
            references[digest] = await _name(attempt, digest, medium, opened, means, now, deadline)
    return with_references(attempt.content, references)


async def forget(attempt: Attempt, opened: OpenSender, means: Means) -> bool:
    """Forgets the provider's names of an attempt's uploads, so that they are uploaded again. False if it has none, or
    if the store is away."""
    media, now = _uploads(attempt), means.clock.now()
    try:
        for digest in media:
            means.uploads.pop((attempt.site, opened.known_as, digest), None)
            await means.store.keep_upload(attempt.site, opened.known_as, digest, Uploaded(reference="", expires=now))
    except StoreAway:
        return False
    return bool(media)


def _uploads(attempt: Attempt) -> dict[str, Media]:
    return {media.upload: media for media in media_of(attempt.content) if media.upload}


async def _name(
    attempt: Attempt, digest: str, medium: Media, opened: OpenSender, means: Means, now: int, deadline: float
) -> str:
    site, sender = attempt.site, opened.known_as
    kept = await means.store.upload(site, sender, digest, now)
    if kept is not None:
        means.uploads[site, sender, digest] = (kept, now + BELIEVED)
        return kept
    stored = await means.store.media(site, digest)
    if stored is None:
        raise SendError(
            f"The template's media {digest[:12]} is not in the store; apply the site again.",
            code="media_missing",
            fate=Fate.PERMANENT,
            blame=Blame.US,
        )
    content_type, data = stored
    assert opened.provider is not None
    try:
        uploaded = await opened.provider.upload(medium, data, content_type, now, deadline)
    except SendError as error:
        if error.fate is Fate.UNKNOWN:
            error.fate = Fate.RETRY
        raise
    await means.store.keep_upload(site, sender, digest, uploaded)
    means.uploads[site, sender, digest] = (uploaded.reference, uploaded.expires)
    return uploaded.reference
