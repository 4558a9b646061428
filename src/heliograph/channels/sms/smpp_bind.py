"""One of a sender's binds, kept up: connect, bind, wait until it breaks, and again with growing pauses."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import Protocol

from heliograph.channels.sms import smpp_answers, smpp_pdu, smpp_session
from heliograph.channels.sms.smpp_faults import fault
from heliograph.channels.sms.smpp_session import Session
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.core.ports import Exchange, Out
from heliograph.errors import SendError

STEADY = 5.0  # seconds after which a bind counts as one that worked
SOON = 0.2  # seconds at most before a bind that worked and broke is made again


class Owner(smpp_session.Owner, Protocol):
    """What a bind tells the line that it belongs to, besides what its session tells."""

    def up(self) -> None: ...
    def fell(self) -> None: ...  # this one is down, and the next try is a while away


class Bind:
    """`session` while it is up. `fault`: why the last try failed; None while it is up or has not failed since."""

    def __init__(self, settings: Settings, out: Out, tls: ssl.SSLContext | None, owner: Owner) -> None:
        self._settings = settings
        self._out = out
        self._tls = tls
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._failures = 0
        self.session: Session | None = None
        self.fault: SendError | None = None

    async def keep(self) -> None:
        """Runs until it is cancelled."""
        settings = self._settings
        while True:
            try:
                session = await self._bound()
            except SendError as failed:
                self.fault = failed
                self._failures += 1
                self._owner.said(failed.sentence)
            else:
                self.session, self.fault = session, None
                began = self._loop.time()
                self._owner.up()
                await asyncio.shield(session.gone)  # to cancel this task must not pass for the line's end
                self.session = None
                self._failures = 1 if self._loop.time() - began >= STEADY else self._failures + 1
                if self._failures == 1:  # it worked, and the next may: whoever waits is kept waiting
                    await asyncio.sleep(random.uniform(0, SOON))
                    continue
                self.fault = fault("not_connected", exchange=self._note(), detail="it hung up")
            self._owner.fell()
            longest = min(settings.reconnect_most, settings.reconnect_least * 2.0 ** min(self._failures - 1, 16))
            await asyncio.sleep(longest * random.uniform(0.5, 1.0))

    def _note(self, status: int | None = None) -> Exchange:
        return Exchange(method="bind_transceiver", url=self._settings.shown, status=status)

    async def _bound(self) -> Session:
        """A new bind. Raises SendError."""
        settings = self._settings
        deadline = self._loop.time() + settings.bind_timeout
        session: Session | None = None
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._out.addresses(settings.host, settings.port)
                session = await self._connected(addresses)
                status = await session.bound
        except TimeoutError:
            if session is not None:
                session.abort("It did not answer the bind.")
            raise fault("not_connected" if session is None else "bind_silent", exchange=self._note()) from None
        except ssl.SSLCertVerificationError as refused:
            raise fault("tls_refused", exchange=self._note(), detail=refused.verify_message) from None
        except ssl.SSLError as broken:
            raise fault("tls_failed", exchange=self._note(), detail=broken.reason or "TLS failed") from None
        except OSError as broken:
            raise fault("not_connected", exchange=self._note(), detail=broken.strerror or "no connection") from None
        except BaseException:
            if session is not None:
                session.abort("The sender is being closed.")
            raise
        if status == 0:
            return session
        session.abort("The bind was refused.")
        if status < 0:
            raise fault("not_connected", exchange=self._note(), detail="it hung up before it answered the bind")
        raise smpp_answers.refused(status, exchange=self._note(status))

    async def _connected(self, addresses: tuple[str, ...]) -> Session:
        """Over the first address that takes us. Raises OSError."""
        settings = self._settings

        def bind(sequence: int) -> bytes:
            return smpp_pdu.bind(
                settings.system_id,
                settings.password,
                settings.system_type,
                ton=settings.ton if settings.address_range else 0,
                npi=settings.npi if settings.address_range else 0,
                address_range=settings.address_range,
                sequence=sequence,
            )

        def made() -> Session:
            return Session(
                self._owner,
                bind,
                window=settings.window,
                enquire_link=settings.enquire_link,
                response_timeout=settings.response_timeout,
                inactivity_timeout=settings.inactivity_timeout,
            )

        name = (settings.tls_name or settings.host) if self._tls is not None else None
        broken: OSError | None = None
        for address in addresses:
            try:
                _, session = await self._loop.create_connection(
                    made, address, settings.port, ssl=self._tls, server_hostname=name
                )
                return session
            except ssl.SSLError:
                raise
            except OSError as failed:
                broken = failed
        raise broken or OSError("no address")
