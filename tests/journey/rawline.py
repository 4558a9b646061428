"""Bytes over a socket, as written: what no HTTP library would send, and all that comes back."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

_FIRST = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def raw(
    base_url: str, *pieces: bytes, pause: float = 0.0, half_close: bool = False, wait: float = 0.6, most: float = 8.0
) -> tuple[list[int], bytes, bool]:
    """Sends the pieces with pauses and reads until the server closes, or is silent for `wait` seconds after an answer.

    The statuses that came in order, all bytes, and whether the server closed. Fails if nothing came within `most`.
    """
    at = urlsplit(base_url)
    with socket.create_connection((at.hostname, at.port), 5) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
                if pause:
                    time.sleep(pause)
            if half_close:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server would not hear more; what it said counts
        return read(line, wait, most)


def read(line: socket.socket, wait: float, most: float) -> tuple[list[int], bytes, bool]:
    came, closed = b"", False
    end = time.monotonic() + most
    while True:
        line.settimeout(wait if came else max(0.01, end - time.monotonic()))
        try:
            piece = line.recv(65_536)
        except TimeoutError:
            assert came, f"neither an answer nor an end within {most:g} s"
            break
        except ConnectionResetError:
            closed = True
            break
        if not piece:
            closed = True
            break
        came += piece
    return [int(status) for status in _FIRST.findall(came)], came, closed


def head(method: str, target: str, headers: Iterable[tuple[str, str]], version: str = "1.1") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
