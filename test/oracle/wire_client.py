"""A narrowband client in plain Python, written from docs/wire.md and proto/wire.proto alone: no protobuf, WebSocket or
xxHash library. It is there to show that those two pages are enough, so it does the least that they ask for. Its "bottom"
makes up activations and its "top" pulls what comes back towards 0.5; codec f32.

    python3 wire_client.py PORT

Prints one line for Welcome, one for each Commit, and one for Goodbye. Standard library only, Python 3.8 or later.
"""
import base64
import math
import os
import socket
import struct
import sys

MASK = 0xFFFFFFFF


def xxh32(data, seed):
    """XXH32 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md)."""
    p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393

    def rotate(x, bits):
        return ((x << bits) | (x >> (32 - bits))) & MASK

    at = 0
    if len(data) >= 16:
        lanes = [(seed + p1 + p2) & MASK, (seed + p2) & MASK, seed & MASK, (seed - p1) & MASK]
        while at + 16 <= len(data):
            for lane, word in enumerate(struct.unpack_from("<4I", data, at)):
                lanes[lane] = rotate((lanes[lane] + word * p2) & MASK, 13) * p1 & MASK
            at += 16
        h = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
    else:
        h = (seed + p5) & MASK
    h = (h + len(data)) & MASK
    while at + 4 <= len(data):
        h = rotate((h + struct.unpack_from("<I", data, at)[0] * p3) & MASK, 17) * p4 & MASK
        at += 4
    for byte in data[at:]:
        h = rotate((h + byte * p5) & MASK, 11) * p1 & MASK
    h = (h ^ (h >> 15)) * p2 & MASK
    h = (h ^ (h >> 13)) * p3 & MASK
    return h ^ (h >> 16)


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    """One protobuf field: int as varint (absent when 0), float as double, str and bytes with their length."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """A protobuf message as {field number: last value}."""
    found, at = {}, 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            value = read()
        elif tag & 7 == 1:
            (value,) = struct.unpack_from("<d", data, at)
            at += 8
        elif tag & 7 == 5:
            (value,) = struct.unpack_from("<I", data, at)
            at += 4
        else:
            size = read()
            value = data[at : at + size]
            at += size
        found[tag >> 3] = value
    return found


class WebSocket:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: narrowband",
        ]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.read(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the connection ended"
            data += more
        return data

    def send(self, payload, opcode=2):
        size = len(payload)
        if size < 126:
            length = bytes([128 | size])
        elif size < 65536:
            length = bytes([128 | 126]) + struct.pack(">H", size)
        else:
            length = bytes([128 | 127]) + struct.pack(">Q", size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
        self.socket.sendall(bytes([128 | opcode]) + length + mask + masked)

    def receive(self):
        first, size = self.read(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return first & 15, self.read(size)


TENSOR, ROUND_START, STEP_DONE, COMMIT, PING, PONG, HELLO, WELCOME, READY, GOODBYE, ERROR = 3, 4, 5, 6, 10, 11, 16, 17, 18, 19, 20
A1, A2, G2, G1 = 1, 2, 3, 4
F32 = 1


class Client:
    def __init__(self, port):
        self.ws = WebSocket(port)
        self.job = self.client = 0
        hello = field(1, 2) + field(2, 2) + field(4, "demo") + field(5, "python") + field(8, "f32")
        self.send(HELLO, hello + field(10, os.urandom(16).hex()) + field(11, 1))

    def send(self, kind, message, body=b""):
        header = field(1, self.job) + field(2, self.client) + field(kind, message)
        prelude = b"N\x01" + struct.pack("<H", len(header))
        checksum = xxh32(header + body, struct.unpack("<I", prelude)[0])
        self.ws.send(prelude + struct.pack("<I", checksum) + header + body)

    def send_tensor(self, phase, tokens, values, lengths=b""):
        key = field(1, self.step) + field(2, self.attempt) + field(3, self.micro_batch) + field(4, phase)
        rows = field(6, lengths) if lengths else b""
        message = key + field(5, tokens) + rows + field(7, self.hidden) + field(8, F32)
        self.send(TENSOR, message, struct.pack(f"<{len(values)}f", *values))

    def forward(self):
        tokens = 5
        values = [math.sin(i + self.step) for i in range(tokens * self.hidden)]
        self.send_tensor(A1, tokens, values, varint(3) + varint(2))

    def on_tensor(self, message, body):
        values = struct.unpack(f"<{message[5] * self.hidden}f", body)
        if message[4] == A2:
            gradient = [value - 0.5 for value in values]
            self.loss += sum(g * g / 2 for g in gradient)
            self.supervised += message[5]
            self.send_tensor(G2, message[5], gradient)
            return
        assert message[4] == G1
        self.micro_batch += 1
        if self.micro_batch < self.micro_batches:
            self.forward()
        else:
            key = field(1, self.step) + field(2, self.attempt)
            self.send(STEP_DONE, key + field(3, self.loss) + field(4, self.supervised))

    def run(self):
        while True:
            opcode, data = self.ws.receive()
            if opcode == 8:
                return
            (size,) = struct.unpack_from("<H", data, 2)
            (seed, checksum) = struct.unpack_from("<2I", data)
            assert data[:2] == b"N\x01" and checksum == xxh32(data[8:], seed)
            envelope, body = fields(data[8 : 8 + size]), data[8 + size :]
            kind = max(envelope)
            message = fields(envelope[kind])
            if kind == WELCOME:
                self.job, self.client = message[3], message.get(4, 0)
                config = fields(message[5])
                self.hidden, self.micro_batches = fields(config[9])[4], config[6]
                print("welcome", self.job, self.client, self.hidden, flush=True)
                self.send(READY, b"")
            elif kind == ROUND_START:
                self.step, self.attempt = message.get(1, 0), message.get(2, 0)
                self.micro_batch = self.supervised = 0
                self.loss = 0.0
                self.forward()
            elif kind == TENSOR:
                self.on_tensor(message, body)
            elif kind == COMMIT:
                print("commit", message.get(1, 0), self.loss / self.supervised, flush=True)
            elif kind == PING:
                self.send(PONG, field(1, message.get(1, 0)))
            elif kind == GOODBYE:
                print("goodbye", message[1], flush=True)
                self.ws.send(struct.pack(">H", 1000), opcode=8)
            elif kind == ERROR:
                sys.exit(f"{message[1].decode()}: {message[2].decode()}")


Client(int(sys.argv[1])).run()
