"""Boots the merged flash image of `boards/esp32/examples/header.rs` on an emulated ESP32-C3 or -C6.

Usage: header.py GATEWAY CHIP IMAGE ELF

The keys are made by `gateway provision` and burnt into virtual fuses by the printed commands; the stores come from
`gateway provision image`. Each header is compared with what the API documents, tokens with Python's own HMAC.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib

from chip import Chip

ID = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
KEY = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"
BIN = pathlib.Path(sys.executable).parent
STORE = 0x3F0000
TABLE, TABLE_END = 0x8000, 0x9000
BLOCKS, DEVICE_KEY_BLOCK = 6, 1
RANDOM_CHIPS = 80
MAX_ID_LEN = 64
# Visible ASCII that JSON doesn't escape.
ID_CHARS = [chr(char) for char in range(0x21, 0x7F) if chr(char) not in '"\\']
PLAIN = "custody: plain: whoever reads the flash has the key"
SEALED = "custody: sealed: the key is encrypted for this chip alone"
HARDWARE = "custody: hardware: the key can't be read by software"

# docs/store-format.md: two copies, each with a header and entries at multiples of 16.
COPY_LEN, COPY_HEADER_LEN, ENTRY_HEADER_LEN, ENTRY_ALIGN = 0x8000, 32, 16, 16
CLOCK, CLOCK_VERSION, FORM_PLAIN = 3, 1, 1

checks = 0


def check(passed, what):
    global checks
    if not passed:
        sys.exit(f"failed: {what}")
    checks += 1


def run(arguments, environment=None, text=""):
    arguments = [str(argument) for argument in arguments]
    environment = {"PATH": os.environ["PATH"], **(environment or {})}
    done = subprocess.run(arguments, env=environment, input=text, capture_output=True, text=True)
    check(done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Credential:
    """What `gateway` takes a credential from, and what headers it makes: tokens, or always the same."""

    def __init__(self, api, environment, key, header=None, claims=None):
        self.options = ["--api", api]
        self.environment = environment
        # The key that signs, or the value that is sent.
        self.key = key
        self.header = header
        # The claims at a time.
        self.claims = claims

    def value(self, now, key):
        if self.header is None:
            return self.key
        signing_input = f"{b64(compact(self.header))}.{b64(compact(self.claims(now)))}"
        mac = hmac.new(key, signing_input.encode(), hashlib.sha256).digest()
        return f"Bearer {signing_input}.{b64(mac)}"


def heymarket(secret_id):
    environment = {"HEYMARKET_SECRET_ID": secret_id, "HEYMARKET_SECRET_KEY": KEY}
    key = f"{secret_id}||{KEY}".encode()
    header = {"alg": "HS256", "typ": "JWT"}
    return Credential("heymarket", environment, key, header, lambda now: {"iss": secret_id, "iat": now - 1})


def key_id(kid):
    key = 32 * "k"
    environment = {"KEY_ID_JWT_KID": kid, "KEY_ID_JWT_SECRET": key}
    header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    return Credential("key-id", environment, key.encode(), header, lambda now: {"exp": now + 3600})


def sent():
    """Credentials of the APIs whose keys are sent as they are."""
    basic = base64.b64encode(b"team-4f1c9b27a0:").decode()
    return [
        Credential("heymarket-bearer", {"HEYMARKET_API_KEY": "team-4f1c9b27a0"}, "Bearer team-4f1c9b27a0"),
        Credential("heymarket-basic", {"HEYMARKET_API_KEY": "team-4f1c9b27a0"}, f"Basic {basic}"),
        Credential("key-id-static", {"KEY_ID_API_TOKEN": "kst-8f2b7c61d0"}, "kst-8f2b7c61d0"),
        Credential("heyoo", {"HEYOO_API_KEY": "hey_4f1c9b27a0"}, "Bearer hey_4f1c9b27a0"),
        Credential("hookmesh", {"HOOKMESH_API_KEY": "sk_live_9b27a04f1c"}, "Bearer sk_live_9b27a04f1c"),
    ]


def with_floor(flash, floor):
    """The flash of a device whose store says that the present is no earlier."""
    flash = bytearray(flash)
    for copy in range(STORE, STORE + 2 * COPY_LEN, COPY_LEN):
        check(flash[copy : copy + 8] == b"SECSTORE", "the copy is made")
        at, number = copy + COPY_HEADER_LEN, 0
        while flash[at] != 0xFF:
            (length, number) = struct.unpack_from("<HI", flash, at + 6)
            at += -(-(ENTRY_HEADER_LEN + length) // ENTRY_ALIGN) * ENTRY_ALIGN
        value = struct.pack("<QQ", floor, 0)
        head = struct.pack("<BBBBHHI", CLOCK, CLOCK_VERSION, FORM_PLAIN, 0, 0, len(value), number + 1)
        entry = head + struct.pack("<I", zlib.crc32(head + value)) + value
        flash[at : at + len(entry)] = entry
    return bytes(flash)


class Bench:
    """Where images, fuses and stores are put together."""

    def __init__(self, gateway, chip, image, elf, folder):
        self.chip = chip
        self.gateway = pathlib.Path(gateway).absolute()
        self.image = pathlib.Path(image).read_bytes()
        self.elf = pathlib.Path(elf).read_bytes()
        self.folder = folder
        self.count = 0

    def path(self, suffix):
        self.count += 1
        return self.folder / f"{self.count}.{suffix}"

    def store(self, credential, *options):
        """The image with a store for a credential."""
        out = self.path("bin")
        arguments = [*credential.options, *options, "--target", self.chip, "--out", out]
        run([self.gateway, "provision", "image", *arguments], credential.environment)
        return self.image[:STORE] + out.read_bytes()

    def provision(self, arguments, environment=None):
        return json.loads(run([self.gateway, "provision", *arguments, "--json"], environment))

    def burn(self, command, fuses, purpose="HMAC_UP", options=()):
        """Burns by a printed command; purpose and options are for what a person may get wrong."""
        program, *arguments = shlex.split(command.replace("HMAC_UP", purpose))
        virtual = ["--virt", "--path-efuse-file", fuses]
        run([BIN / program, *virtual, *arguments, *options], text="BURN\n")

    def burnt(self, credential, block=0, **mistakes):
        """A file of fuses with a credential's key, and the key."""
        key, fuses = self.path("hmac"), self.path("fuses")
        arguments = ["efuse-key", *credential.options, "--target", self.chip, "--block", block, "--out", key]
        self.burn(self.provision(arguments, credential.environment)["burn"], fuses, **mistakes)
        return fuses, {block: key.read_bytes()}

    def device_key(self, fuses=None):
        """Burns a device key, into a copy of some fuses; returns them and the key's file."""
        key, burnt = self.path("key"), self.path("fuses")
        if fuses:
            shutil.copy(fuses, burnt)
        made = self.provision(["device-key", "--target", self.chip, "--out", key])
        self.burn(made["burn"], burnt)
        return burnt, key

    def boot(self, flash, fuses, keys, sha=True):
        """What a chip prints, and whether it resets itself; without SHA the accelerator never finishes."""
        chip = Chip(self.chip, flash, self.elf, fuses.read_bytes(), keys)
        if not sha:
            chip.hmac.clocked = lambda: (True, False)
        printed = chip.run(seconds=2)
        check(not chip.hmac.violations, f"the manual's steps: {chip.hmac.violations}")
        return printed, chip.was_reset

    def shows(self, credential, printed, key=None, told_by="by the build: the firmware is no older"):
        """Whether the chip has printed the header that this key makes at the time that it says."""
        now = re.search(rf"^time: (\d+) {told_by}$", printed.replace("\r", ""), re.MULTILINE)
        check(now, f"the time is told: {printed}")
        return f"Authorization: {credential.value(int(now[1]), key or credential.key)}" in printed.splitlines()


def good_chips(bench):
    """Every key block but the device key's, every length of ID, any key, and stores that are plain or sealed."""
    documented = heymarket(ID)
    bare, sealing = {}, {}
    for block in range(BLOCKS):
        if block == DEVICE_KEY_BLOCK:
            continue
        bare[block], keys = bench.burnt(documented, block)
        flash = bench.store(documented, "--hardware-key", block)
        printed, was_reset = bench.boot(flash, bare[block], keys)
        check(not was_reset and HARDWARE in printed, printed)
        state = f"eFuse BLOCK_KEY{block}: purpose HMAC_UP, read-protected, write-protected"
        check(state in printed, printed)
        check(bench.shows(documented, printed), f"block {block}: {printed}")
        check(not bench.shows(documented, printed, documented.key + b"!"), "another key is told apart")
        sealing[block] = bench.device_key(bare[block])

    # Protected fuses don't show their key, so these serve for any.
    seed = int.from_bytes(os.urandom(4), "little")
    print(f"seed {seed}", flush=True)
    choose = random.Random(seed)
    for n in range(RANDOM_CHIPS):
        # IDs of every length, so that the message takes two to five of the accelerator's blocks.
        any_id = "".join(choose.choices(ID_CHARS, k=n % MAX_ID_LEN + 1))
        any_uuid = str(uuid.UUID(int=choose.getrandbits(128)))
        credential = heymarket(any_id) if n % 4 else key_id(any_uuid)
        block = choose.choice(list(bare))
        fuses, keys = bare[block], {block: choose.randbytes(32)}
        options = ["--hardware-key", block]
        if n % 3:
            fuses, device_key = sealing[block]
            options += ["--device-key-file", device_key]
            keys[DEVICE_KEY_BLOCK] = device_key.read_bytes()
        printed, was_reset = bench.boot(bench.store(credential, *options), fuses, keys)
        check(not was_reset and HARDWARE in printed, printed)
        check(bench.shows(credential, printed, keys[block]), f"{credential.environment}, {keys}: {printed}")


def keys_in_flash(bench):
    """Every API, its key in the store: plain, and sealed under the device key."""
    sealing, device_key = bench.device_key()
    keys = {DEVICE_KEY_BLOCK: device_key.read_bytes()}
    blank = bench.path("fuses")
    bench.burn(f"espefuse --chip {bench.chip} summary", blank)
    for credential in [heymarket(ID), key_id(str(uuid.uuid4())), *sent()]:
        printed, was_reset = bench.boot(bench.store(credential), blank, {})
        check(not was_reset and PLAIN in printed, printed)
        check(bench.shows(credential, printed), f"{credential.options}: {printed}")
        flash = bench.store(credential, "--device-key-file", device_key)
        printed, was_reset = bench.boot(flash, sealing, keys)
        check(not was_reset and SEALED in printed, printed)
        check(bench.shows(credential, printed), f"{credential.options}: {printed}")


def floors(bench):
    """A floor beyond the build is the time, and one before it is not."""
    documented = heymarket(ID)
    fuses, keys = bench.burnt(documented)
    flash = bench.store(documented, "--hardware-key", 0)
    printed, _ = bench.boot(flash, fuses, keys)
    build = int(re.search(r"^time: (\d+) by the build", printed, re.MULTILINE)[1])
    for beyond in [1, 86_400, 40 * 31_557_600]:
        printed, was_reset = bench.boot(with_floor(flash, build + beyond), fuses, keys)
        check(not was_reset and f"time: {build + beyond} by the store" in printed, printed)
        check(bench.shows(documented, printed, told_by="by the store: no earlier than this"), printed)
    for floor in [build, build - 1, 0]:
        printed, was_reset = bench.boot(with_floor(flash, floor), fuses, keys)
        check(not was_reset and f"time: {build} by the build" in printed, printed)
        check(bench.shows(documented, printed), printed)
    # More than 50 years ahead: the store is a faulty device's.
    printed, was_reset = bench.boot(with_floor(flash, build + 60 * 31_557_600), fuses, keys)
    check(was_reset and "Authorization" not in printed, printed)


def bad_chips(bench):
    """What isn't as it should be is named, and no header is printed."""
    documented = heymarket(ID)
    flash = bench.store(documented, "--hardware-key", 0)
    open_fuses, keys = bench.burnt(documented, options=["--no-read-protect"])
    good, keys = bench.burnt(documented)
    printed, was_reset = bench.boot(flash, good, keys, sha=False)
    check(was_reset and "doesn't finish" in printed and "Authorization" not in printed, printed)

    wrong, _ = bench.burnt(documented, purpose="HMAC_DOWN_ALL")
    other, _ = bench.burnt(documented, block=2)
    sealing, device_key = bench.device_key(good)
    sealed = bench.store(documented, "--hardware-key", 0, "--device-key-file", device_key)
    in_its_place = bench.store(documented, "--hardware-key", DEVICE_KEY_BLOCK)
    # Not the key that the store was sealed under.
    keys[DEVICE_KEY_BLOCK] = bytes(32)
    erased = b"\xff" * (len(flash) - STORE)
    for name, flash, fuses, says in [
        ("protection", flash, open_fuses, "BLOCK_KEY0: purpose HMAC_UP, NOT read-protected"),
        ("purpose", flash, wrong, "BLOCK_KEY0: purpose 5, not HMAC_UP"),
        ("block", flash, other, "BLOCK_KEY0: purpose 0, not HMAC_UP"),
        ("key", flash, other, "the key of slot A is in a place that this board's chip doesn't have"),
        ("place", in_its_place, other, "the key of slot A is in a place that this board's chip doesn't have"),
        ("store", flash[:STORE] + erased, good, "the store is blank: provision the device"),
        ("table", flash[:TABLE] + b"\xff" * 0x1000 + flash[TABLE_END:], good, "partition table"),
        ("plain", flash, sealing, "provision it with the device key"),
        ("no device key", sealed, good, "this board has no device key"),
        ("device key", sealed, sealing, "another device's key"),
    ]:
        printed, was_reset = bench.boot(flash, fuses, keys)
        check(was_reset and says in printed, f"{name}: {printed}")
        check("Authorization" not in printed, f"{name}: {printed}")


def main():
    _, gateway, chip, image, elf = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(gateway, chip, image, elf, pathlib.Path(folder))
        good_chips(bench)
        keys_in_flash(bench)
        floors(bench)
        bad_chips(bench)
    print(f"{checks} checks passed")


main()
