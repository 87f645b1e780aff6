#!/usr/bin/env python3
"""Makes the golden images from docs/store-format.md alone, with nothing but Python's standard library.

Usage: make.py DIRECTORY    writes plain.bin and sealed.bin there
"""

import hashlib
import hmac
import struct
import sys
import zlib
from pathlib import Path

COPY_LEN = 4096
DEVICE_KEY = bytes(range(32))
API_ID = b"74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
API_KEY = b"cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"


# SHA-256's compression function (FIPS 180-4 section 6.2), for hashlib doesn't show its state.


def primes(count):
    found = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def root_fraction(prime, power):
    """The first 32 bits of the fraction of the prime's root."""
    scaled = prime << (32 * power)
    low, high = 0, scaled
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**power <= scaled else (low, middle - 1)
    return low & 0xFFFFFFFF


K = [root_fraction(prime, 3) for prime in primes(64)]
H = [root_fraction(prime, 2) for prime in primes(8)]


def rotate(word, bits):
    return (word >> bits | word << (32 - bits)) & 0xFFFFFFFF


def compress(block):
    w = list(struct.unpack(">16I", block))
    for t in range(16, 64):
        s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3
        s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10
        w.append((w[t - 16] + s0 + w[t - 7] + s1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = H
    for t in range(64):
        s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        t1 = h + s1 + (e & f ^ ~e & g) + K[t] + w[t]
        s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        t2 = s0 + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t1 + t2) & 0xFFFFFFFF, a, b, c, (d + t1) & 0xFFFFFFFF, e, f, g
    state = [(x + y) & 0xFFFFFFFF for x, y in zip(H, (a, b, c, d, e, f, g, h))]
    return struct.pack(">8I", *state)


def prepared(key):
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key.ljust(64, b"\0")
    return compress(bytes(x ^ 0x36 for x in key)) + compress(bytes(x ^ 0x5C for x in key))


# ChaCha20-Poly1305 (RFC 8439).


def chacha20_block(key, counter, nonce):
    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key))
    start += [counter] + list(struct.unpack("<3I", nonce))
    x = start[:]

    def quarter(a, b, c, d):
        for p, q, r, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & 0xFFFFFFFF
            x[r] = rotate(x[r] ^ x[p], 32 - bits)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def padded(data):
    return data + bytes(-len(data) % 16)


def encrypt(key, nonce, data, associated):
    stream = b"".join(chacha20_block(key, 1 + i, nonce) for i in range(len(data) // 64 + 1))
    text = bytes(a ^ b for a, b in zip(data, stream))
    one_time = chacha20_block(key, 0, nonce)[:32]
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    message = padded(associated) + padded(text) + struct.pack("<QQ", len(associated), len(text))
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r
        total %= (1 << 130) - 5
    tag = total + int.from_bytes(one_time[16:], "little")
    return text + (tag & (1 << 128) - 1).to_bytes(16, "little")


# The store's format.


def mac(key, message):
    return hmac.new(key, message, "sha256").digest()


PRK = mac(bytes(32), mac(DEVICE_KEY, b"\0secure-store seal 1"))
ENCRYPTION_KEY = mac(PRK, b"encrypt\1")
NONCE_KEY = mac(PRK, b"nonce\1")
CHAIN_KEY = mac(PRK, b"chain\1")


def link(in_force):
    last = bytes(16)
    for header_and_nonce in in_force:
        last = mac(CHAIN_KEY, last + header_and_nonce)[:16]
    return last


def entry(kind, slot, version, form, seq, value, in_force):
    """An entry; what is in force, by kind and slot, is kept in the order of the numbers."""
    length = len(value) + {0: 0, 1: 0, 2: 44, 3: 16}[form]
    header = struct.pack("<BBBBHHI", kind, version, form, 0, slot, length, seq)
    in_force.pop((kind, slot), None)
    if form == 2:
        nonce = mac(NONCE_KEY, header + value)[:12]
        in_force[kind, slot] = header + nonce
        value = nonce + encrypt(ENCRYPTION_KEY, nonce, value, header) + link(in_force.values())
    if form == 3:
        value = link([*in_force.values(), header + bytes(12)])
    checksum = struct.pack("<I", zlib.crc32(header + value))
    return header + checksum + value + b"\xff" * (-len(value) % 16)


def copy(erases, through, count, entries):
    header = b"SECSTORE" + struct.pack("<BxxxIIII", 1, COPY_LEN, erases, through, count)
    header += struct.pack("<I", zlib.crc32(header))
    return (header + b"".join(entries)).ljust(COPY_LEN, b"\xff")


def setting(number, value):
    return struct.pack("<BH", number, len(value)) + value


def image(form):
    """A store that was formatted and then got seven writes, without a further erase."""
    credential = b"\x09heymarket" + bytes([len(API_ID)]) + API_ID
    prepared_key = b"\1" + prepared(API_ID + b"||" + API_KEY)
    device = setting(1, b"pump-7") + setting(2, struct.pack("<Q", 1234)) + setting(200, b"new")
    in_force = {}
    entries = [
        entry(1, 0, 1, form, 2, credential + prepared_key, in_force),
        entry(1, 1, 1, form, 3, credential + b"\2\4", in_force),
        entry(2, 0, 1, form, 4, bytes([1, 0, 3, 0]), in_force),
        entry(4, 7, 1, form, 5, b"an alert that is delivered", in_force),
        entry(3, 0, 1, form, 6, struct.pack("<QQ", 1713225600, 1713000000), in_force),
        entry(5, 0, 1, form, 7, device, in_force),
        entry(4, 7, 0, {1: 0, 2: 3}[form], 8, b"", in_force),
    ]
    return copy(1, 1, 0, entries) + copy(1, 1, 0, entries)


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    (directory / "plain.bin").write_bytes(image(1))
    (directory / "sealed.bin").write_bytes(image(2))
