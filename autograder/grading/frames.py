"""Messages over a socket: a length, then a packed tree. Both sides use it; neither trusts it."""

import socket
import struct
import time
from typing import Any

from autograder import wire

HEAD = struct.Struct("<Q")
MAX_FRAME = wire.MAX_BYTES
CHUNK = 1 << 16


class Closed(ConnectionError):
    """The other side is gone."""


class TimeUp(TimeoutError):
    """No whole message came in time."""


def send(channel: socket.socket, tree: Any) -> None:
    """Send one tree."""
    data = wire.pack(tree)
    channel.sendall(HEAD.pack(len(data)) + data)


def receive(channel: socket.socket, seconds: float | None = None) -> Any:
    """Receive one tree.

    Parameters
    ----------
    channel : socket
    seconds : float, optional
        For the whole message; for ever if it is left out.

    Raises
    ------
    Closed, TimeUp
    autograder.wire.WireError
        What came is no message, or is larger than `MAX_FRAME`; the channel is then of no more use.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    (length,) = HEAD.unpack(_exactly(channel, HEAD.size, deadline))
    if length > MAX_FRAME:
        raise wire.WireError(f"a message of {length} bytes; {MAX_FRAME} are allowed")
    return wire.unpack(_exactly(channel, length, deadline))


def _exactly(channel: socket.socket, count: int, deadline: float | None) -> bytes:
    parts = []
    while count:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeUp
            channel.settimeout(left)
        try:
            part = channel.recv(min(count, CHUNK))
        except TimeoutError:
            raise TimeUp from None
        except OSError:
            raise Closed from None
        if not part:
            raise Closed
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
