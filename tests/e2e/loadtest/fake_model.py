"""A target that counts its requests as the service does, and answers them as MODE says."""

import asyncio
import json
import os
import re
import time

MODE, NAME = os.environ["MODE"], os.environ["NAME"]
LATE_SECONDS = 60
"""Longer than right answers are asked for before a load."""
counted, began = {}, {}


def answer(status, body):
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


async def respond(method, path):
    if path == "/metrics":
        lines = [
            f'nlpserve_requests_total{{code="{code}",model="{NAME}",route="{route}"}} {number}'
            for (route, code), number in counted.items()
        ]
        return answer(200, "\n".join(lines).encode())
    if method == "GET":
        return answer(200, json.dumps({"version": "1", "language": "en"}).encode())
    if MODE == "hang":
        await asyncio.sleep(3600)
    if MODE == "slow":
        await asyncio.sleep(0.3)
    began.setdefault("asked", time.monotonic())
    late = MODE == "late" and time.monotonic() < began["asked"] + LATE_SECONDS
    status = 500 if MODE == "500" or late else 200
    key = ("/v1/models/{model}/classify", status)
    counted[key] = counted.get(key, 0) + (2 if MODE == "miscounting" else 1)
    if MODE == "garbage":
        return answer(status, b"<html>it works</html>")
    found = {"label": "a", "scores": {"a": 0.75, "b": 0.25}}
    return answer(status, json.dumps({"model": NAME, "predictions": [found]}).encode())


async def connected(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"ontent-[lL]ength: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(await respond(*head.split(" ")[:2]))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    async with await asyncio.start_server(connected, "0.0.0.0", 3000) as server:
        await server.serve_forever()


asyncio.run(main())
