"""Boots the merged flash image of `boards/esp32/examples/header.rs` on an emulated ESP32-C3 or -C6.

Usage: header.py GATEWAY CHIP IMAGE ELF

The keys are made by `gateway provision` and burnt into virtual fuses by the printed commands; the stores come from
`gateway provision image`. Each token is compared with Python's own.
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
import subprocess
import sys
import tempfile
import uuid

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
HARDWARE = "custody: hardware: the key can't be read by software"

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


def heymarket(secret_id):
    """Environment, options, header and claims at a time of a Heymarket credential."""
    environment = {"HEYMARKET_SECRET_ID": secret_id, "HEYMARKET_SECRET_KEY": KEY}
    header = {"alg": "HS256", "typ": "JWT"}
    return environment, ["--api", "heymarket"], header, lambda now: {"iss": secret_id, "iat": now - 1}


def key_id(kid):
    """The same of a Key-ID credential."""
    environment = {"KEY_ID_JWT_KID": kid, "KEY_ID_JWT_SECRET": 32 * "k"}
    header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    return environment, ["--api", "key-id"], header, lambda now: {"exp": now + 3600}


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
        environment, api, *_ = credential
        out = self.path("bin")
        arguments = [*api, *options, "--target", self.chip, "--out", out]
        run([self.gateway, "provision", "image", *arguments], environment)
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
        environment, api, *_ = credential
        key, fuses = self.path("hmac"), self.path("fuses")
        arguments = ["efuse-key", *api, "--target", self.chip, "--block", block, "--out", key]
        self.burn(self.provision(arguments, environment)["burn"], fuses, **mistakes)
        return fuses, {block: key.read_bytes()}

    def device_key(self, fuses):
        """Burns a device key besides; returns its file."""
        key = self.path("key")
        made = self.provision(["device-key", "--target", self.chip, "--out", key])
        self.burn(made["burn"], fuses)
        return key

    def boot(self, flash, fuses, keys, sha=True):
        """What a chip prints, and whether it resets itself; without SHA the accelerator never finishes."""
        chip = Chip(self.chip, flash, self.elf, fuses.read_bytes(), keys)
        if not sha:
            chip.hmac.clocked = lambda: (True, False)
        printed = chip.run(seconds=2)
        check(not chip.hmac.violations, f"the manual's steps: {chip.hmac.violations}")
        return printed, chip.was_reset

    def signs(self, credential, printed, key):
        """Whether the chip has printed the header that this key makes at the time that it says."""
        _, _, header, claims = credential
        now = re.search(r"^time: (\d+) by the build", printed, re.MULTILINE)
        check(now, f"the time is told: {printed}")
        signing_input = f"{b64(compact(header))}.{b64(compact(claims(int(now[1]))))}"
        mac = hmac.new(key, signing_input.encode(), hashlib.sha256).digest()
        return f"Authorization: Bearer {signing_input}.{b64(mac)}" in printed.splitlines()


def good_chips(bench):
    """Every key block, every length of ID, any key, and stores that are plain or sealed."""
    documented = heymarket(ID)
    whole_key = f"{ID}||{KEY}".encode()
    burnt, device_keys = {}, {}
    for block in range(BLOCKS):
        fuses, keys = bench.burnt(documented, block)
        flash = bench.store(documented, "--hardware-key", block)
        printed, was_reset = bench.boot(flash, fuses, keys)
        check(not was_reset and HARDWARE in printed, printed)
        state = f"eFuse BLOCK_KEY{block}: purpose HMAC_UP, read-protected, write-protected"
        check(state in printed, printed)
        check(bench.signs(documented, printed, whole_key), f"block {block}: {printed}")
        check(not bench.signs(documented, printed, whole_key + b"!"), "another key is told apart")
        burnt[block] = fuses
        if block != DEVICE_KEY_BLOCK:
            device_keys[block] = bench.device_key(fuses)

    # Protected fuses don't show their key, so these serve for any.
    seed = int.from_bytes(os.urandom(4), "little")
    print(f"seed {seed}", flush=True)
    choose = random.Random(seed)
    for n in range(RANDOM_CHIPS):
        # IDs of every length, so that the message takes two to five of the accelerator's blocks.
        any_id = "".join(choose.choices(ID_CHARS, k=n % MAX_ID_LEN + 1))
        any_uuid = str(uuid.UUID(int=choose.getrandbits(128)))
        credential = heymarket(any_id) if n % 4 else key_id(any_uuid)
        block = choose.randrange(BLOCKS)
        keys = {block: choose.randbytes(32)}
        options = ["--hardware-key", block]
        if n % 3 and block in device_keys:
            options += ["--device-key-file", device_keys[block]]
            keys[DEVICE_KEY_BLOCK] = device_keys[block].read_bytes()
        printed, was_reset = bench.boot(bench.store(credential, *options), burnt[block], keys)
        check(not was_reset and HARDWARE in printed, printed)
        check(bench.signs(credential, printed, keys[block]), f"{credential[0]}, {keys}: {printed}")


def bad_chips(bench):
    """What isn't as it should be is named; the header is printed only if the chip has signed it."""
    documented = heymarket(ID)
    flash = bench.store(documented, "--hardware-key", 0)
    fuses, keys = bench.burnt(documented, options=["--no-read-protect"])
    printed, _ = bench.boot(flash, fuses, keys)
    check("custody: in hardware, but software can read the key" in printed, printed)
    check(HARDWARE not in printed, printed)

    good, keys = bench.burnt(documented)
    printed, was_reset = bench.boot(flash, good, keys, sha=False)
    check(was_reset and "doesn't finish" in printed and "Authorization" not in printed, printed)

    wrong, _ = bench.burnt(documented, purpose="HMAC_DOWN_ALL")
    other, _ = bench.burnt(documented, block=1)
    sealed = bench.store(documented, "--hardware-key", 0, "--device-key-file", bench.device_key(good))
    # Not the key that the store was sealed under.
    keys[DEVICE_KEY_BLOCK] = bytes(32)
    erased = b"\xff" * (len(flash) - STORE)
    for name, flash, fuses, says in [
        ("purpose", flash, wrong, "purpose 5, not HMAC_UP"),
        ("block", flash, other, "purpose 0, not HMAC_UP"),
        ("store", flash[:STORE] + erased, good, "the store is blank"),
        ("table", flash[:TABLE] + b"\xff" * 0x1000 + flash[TABLE_END:], good, "partition table"),
        ("custody", bench.store(documented), good, "--hardware-key"),
        ("device key", sealed, good, "another device's key"),
    ]:
        printed, was_reset = bench.boot(flash, fuses, keys)
        check(was_reset and says in printed, f"{name}: {printed}")
        check("Authorization" not in printed, f"{name}: {printed}")


def main():
    _, gateway, chip, image, elf = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(gateway, chip, image, elf, pathlib.Path(folder))
        good_chips(bench)
        bad_chips(bench)
    print(f"{checks} checks passed")


main()
