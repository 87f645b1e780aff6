#!/usr/bin/env python3
"""Makes two sessions from docs/serial-protocol.md alone, with nothing but Python's standard library.

Usage: make.py DIRECTORY    writes keyed.txt and window.txt there

A line is > for the desktop's frame or < for the device's, and its bytes in hexadecimal.
"""

import hashlib
import hmac
import struct
import sys
import zlib
from pathlib import Path

DEVICE_KEY = bytes(range(32))
DEVICE_NONCE = bytes(range(0xA0, 0xB0))

# The desktop's choice: its nonce and the hello's number come out of a seed of its own.
SEED = b"\x55" * 32
CHOICE = hmac.digest(SEED, struct.pack("<I", 1), "sha256")
DESKTOP_NONCE, HELLO_NUMBER = CHOICE[:16], struct.unpack("<I", CHOICE[16:20])[0]


# RFC 8439


def chacha_block(key, counter, nonce):
    def quarter(a, b, c, d):
        for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            word = s[z] ^ s[x]
            s[z] = (word << bits | word >> (32 - bits)) & 0xFFFFFFFF

    start = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key), counter]
    start += struct.unpack("<3I", nonce)
    s = list(start)
    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for a, b, c, d in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(a, b, c, d)
    return struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start)))


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:], "little")
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + s) % 2**128).to_bytes(16, "little")


def seal(key, nonce, header, text):
    stream = b"".join(chacha_block(key, 1 + n, nonce) for n in range(len(text) // 64 + 1))
    cipher = bytes(a ^ b for a, b in zip(text, stream))
    pad = lambda part: part + bytes(-len(part) % 16)
    message = pad(header) + pad(cipher) + struct.pack("<QQ", len(header), len(cipher))
    return cipher + poly1305(chacha_block(key, 0, nonce)[:32], message)


# RFC 8439 section 2.8.2
KNOWN = seal(
    bytes(range(0x80, 0xA0)),
    bytes.fromhex("070000004041424344454647"),
    bytes.fromhex("50515253c0c1c2c3c4c5c6c7"),
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
)
assert KNOWN[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"


# The line


def cobs(content):
    out, run = b"", b""
    for byte in content + b"\0":
        if byte == 0 or len(run) == 254:
            out += bytes([len(run) + 1]) + run
            run = b""
            if byte == 0:
                continue
        run += bytes([byte])
    return out


def header(kind, session, number, length):
    return struct.pack("<BBIIH", 1, kind, session, number, length)


def frame(kind, session, number, payload):
    content = header(kind, session, number, len(payload)) + payload
    content += struct.pack("<I", zlib.crc32(content))
    encoded = cobs(content)
    assert 0 not in encoded
    return b"\x02" + encoded + b"\0"


# Sessions

NONCES = DESKTOP_NONCE + DEVICE_NONCE + bytes([1, 1, 1])
SESSION = struct.unpack("<I", DEVICE_NONCE[:4])[0]
PROOF = hmac.digest(DEVICE_KEY, b"\0device-link proof 1" + NONCES, "sha256")
PRK = hmac.digest(DEVICE_KEY, b"\0device-link keys 1" + NONCES, "sha256")
TO_DEVICE = hmac.digest(PRK, b"to device\x01", "sha256")
TO_DESKTOP = hmac.digest(PRK, b"to desktop\x01", "sha256")


def setting(number, value):
    return struct.pack("<BH", number, len(value)) + value


VALUE = setting(1, b"pump-7") + setting(200, bytes(range(256))) + setting(201, b"\xee" * 40)


def announce(kind, slot, version, value):
    return struct.pack("<BBHBHI", 3, kind, slot, version, len(value), zlib.crc32(value))


def text(value):
    return bytes([len(value)]) + value


STATUS = (
    bytes([0, 1, 0, 0])
    + struct.pack("<I", 77)
    + struct.pack("<BQI", 0, 0, 2)
    + bytes([1, 0, 0, 0])
    + struct.pack("<HHHI", 3, 1, 0, 70_000)
    + struct.pack("<BIBI", 1, 1, 1, 1)
    + text(b"fake 1.0")
    + text(b"pump-7")
    + bytes([0])
    + bytes([1])
    + text(b"heymarket")
    + text(b"74f80a77")
)

EXCHANGES = [
    (announce(5, 0, 1, VALUE), b"\0" + struct.pack("<H", 0)),
    (struct.pack("<BH", 4, 0) + VALUE[:256], b"\0" + struct.pack("<H", 256)),
    (struct.pack("<BH", 4, 256) + VALUE[256:], b"\0" + struct.pack("<H", len(VALUE))),
    (b"\x05", b"\0\0"),
    (struct.pack("<BQ", 2, 1_713_225_600), b"\0"),
    (announce(3, 0, 1, VALUE), b"\x05"),
    (b"\x08", b"\0"),
]


def keyed():
    welcome = bytes([1, 1, 1]) + DEVICE_NONCE + b"\x01" + PROOF
    yield ">", frame(0x01, 0, HELLO_NUMBER, bytes([1, 1]) + DESKTOP_NONCE)
    yield "<", frame(0x81, 0, HELLO_NUMBER, welcome)
    for number, (request, reply) in enumerate(EXCHANGES, 1):
        nonce = bytes(8) + struct.pack("<I", number)
        for sign, kind, key, message in ((">", 0x03, TO_DEVICE, request), ("<", 0x83, TO_DESKTOP, reply)):
            associated = header(kind, SESSION, number, len(message) + 16)
            yield sign, frame(kind, SESSION, number, seal(key, nonce, associated, message))


def window():
    yield ">", frame(0x01, 0, HELLO_NUMBER, bytes([1, 1]) + DESKTOP_NONCE)
    yield "<", frame(0x81, 0, HELLO_NUMBER, bytes([1, 1, 1]) + DEVICE_NONCE + b"\0")
    status = STATUS[:1] + struct.pack("<BH", 2, 100) + STATUS[4:]
    for number, (request, reply) in enumerate([(b"\x01", b"\0" + status), *EXCHANGES], 1):
        yield ">", frame(0x02, SESSION, number, request)
        yield "<", frame(0x82, SESSION, number, reply)


directory = Path(sys.argv[1])
for name, session in (("keyed", keyed()), ("window", window())):
    lines = [f"{sign} {bytes.hex()}\n" for sign, bytes in session]
    (directory / f"{name}.txt").write_text("".join(lines))
