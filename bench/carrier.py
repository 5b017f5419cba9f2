"""A carrier that does nothing but answer: raw asyncio, so that what is measured is the sender. `python -m bench.carrier PORT
LATENCY` answers every POST with 201 and a new number after so many seconds, over kept connections."""

from __future__ import annotations

import asyncio
import itertools
import sys

ANSWER = (
    b'{"account_sid":"AC00000000000000000000000000000000","api_version":"2010-04-01","body":"x","date_created":'
    b'"Tue, 15 Oct 2019 02:00:00 +0000","date_sent":null,"date_updated":"Tue, 15 Oct 2019 02:00:00 +0000",'
    b'"direction":"outbound-api","error_code":null,"error_message":null,"from":"AnSinh","num_media":"0","num_segments":"1",'
    b'"price":null,"price_unit":"USD","sid":"SM%032x","status":"queued","subresource_uris":{},"to":"x","uri":"x"}'
)
numbers = itertools.count(1)


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, latency: float) -> None:
        self.latency, self.read = latency, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        while (end := self.read.find(b"\r\n\r\n")) >= 0:
            length = 0
            for line in self.read[:end].split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(self.read) < end + 4 + length:
                return
            self.read = self.read[end + 4 + length :]
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.answer)
            else:
                self.answer()

    def answer(self) -> None:
        body = ANSWER % next(numbers)
        head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.transport.write(head + body)  # type: ignore[attr-defined]


async def serve(port: int, latency: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Line(latency), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
