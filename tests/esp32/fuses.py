"""Burns what `gateway provision` makes into virtual chips, by the commands that it prints and the README has.

Usage: fuses.py GATEWAY

`espefuse --virt` is Espressif's own program on a file in a chip's place. What is expected of the fuses is in the
chips' technical reference manuals, chapter "eFuse Controller": bit 8 + n of WR_DIS protects the purpose of key block
n, bit 23 + n the block; bit n of RD_DIS hides it from software.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

CHIPS = ["esp32c3", "esp32c6", "esp32s3"]
ID = "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa"
KEY = "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK"
SECRETS = {"HEYMARKET_SECRET_ID": ID, "HEYMARKET_SECRET_KEY": KEY}
KID = "2f7b1c7e-3f0a-4f6e-9b57-0d6a4b8b9c11"
# Key purposes.
XTS_AES_128_KEY, HMAC_UP, SECURE_BOOT_DIGEST0 = 4, 8, 9
BIN = pathlib.Path(sys.executable).parent
GATEWAY = pathlib.Path(sys.argv[1]).absolute()

checks = 0


def check(passed, what):
    global checks
    if not passed:
        sys.exit(f"failed: {what}")
    checks += 1


def run(arguments, environment=None, text="", folder=None):
    """Runs a program; returns its exit code and what it printed."""
    environment = {"PATH": os.environ["PATH"], **(environment or {})}
    done = subprocess.run(
        [str(argument) for argument in arguments],
        env=environment,
        cwd=folder,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def provision(arguments, secrets):
    """Returns the exit code, and the JSON object or the complaint."""
    code, printed = run([GATEWAY, "provision", *arguments, "--json"], secrets)
    objects = [line for line in printed.splitlines() if line.startswith("{")]
    return code, json.loads(objects[-1]) if code == 0 else printed


class Chip:
    """A chip whose fuses are a file."""

    def __init__(self, name, file):
        self.name = name
        self.file = file

    def virtual(self):
        return ["--virt", "--path-efuse-file", self.file]

    def burn(self, command, *more):
        """Runs a printed command, whose port is not looked at, and confirms it as a person does."""
        program, *arguments = shlex.split(command)
        check(program == "espefuse", f"the command is Espressif's: {command}")
        arguments = [*self.virtual(), *arguments, *more]
        return run([BIN / program, *arguments], text="BURN\n", folder=self.file.parent)

    def fuses(self):
        table = self.file.with_suffix(".json")
        command = ["summary", "--format", "json", "--file", table]
        code, printed = run([BIN / "espefuse", "--chip", self.name, *self.virtual(), *command])
        check(code == 0, f"the fuses can be read: {printed}")
        return json.loads(table.read_text())


def raw(fuses, name):
    return int(fuses[name]["raw_value"], 16)


def protections(blocks):
    """WR_DIS and RD_DIS of a chip that has keys in these blocks and nothing else."""
    write = sum(1 << 8 + n | 1 << 23 + n for n in blocks)
    return write, sum(1 << n for n in blocks)


def key_bytes(fuses, block):
    return bytes.fromhex(fuses[f"BLOCK_KEY{block}"]["value"])


def sign(secrets, *arguments):
    code, token = run([GATEWAY, "sign", *arguments], secrets)
    check(code == 0, f"gateway signs: {token}")
    return token.strip()


def signed_by(key, token):
    """Whether the peripheral, which pads its 32 bytes to a block with zeros, makes this token."""
    signing_input, _, signature = token.rpartition(".")
    made = hmac.new(key + bytes(32), signing_input.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature


def rehearse(name, folder):
    """From credentials to a chip with both keys."""
    out = folder / f"{name}.hmac"
    arguments = ["efuse-key", "--target", name, "--api", "heymarket", "--out", out]
    code, made = provision(arguments, SECRETS)
    check(code == 0, f"the key is made: {made}")
    key = out.read_bytes()
    check(key == hashlib.sha256(f"{ID}||{KEY}".encode()).digest(), "it is the hashed key")

    # Left readable, to look at what the block holds.
    open_chip = Chip(name, folder / f"{name}-open.fuses")
    code, printed = open_chip.burn(made["burn"], "--no-read-protect")
    check(code == 0, f"the command runs: {printed}")
    fuses = open_chip.fuses()
    check(key_bytes(fuses, 0) == key, "the block holds the key in the file's order")
    token = sign(SECRETS, "--api", "heymarket", "--iat", "1713225600")
    check(signed_by(key_bytes(fuses, 0), token), "HMAC with the block signs as the gateway does")

    chip = Chip(name, folder / f"{name}.fuses")
    code, printed = chip.burn(made["burn"])
    check(code == 0, f"the command runs: {printed}")
    fuses = chip.fuses()
    check(raw(fuses, "KEY_PURPOSE_0") == HMAC_UP, "the purpose is HMAC_UP")
    check((raw(fuses, "WR_DIS"), raw(fuses, "RD_DIS")) == protections([0]), "protection")
    check(key_bytes_hidden(fuses, 0), "the key can't be read")
    check(raw(fuses, "KEY_PURPOSE_1") == 0 and raw(fuses, "BLOCK_KEY1") == 0, "block 1 is free")

    # Burnt is burnt: neither another key nor the same one goes there again.
    before = chip.file.read_bytes()
    other = folder / f"{name}-other.hmac"
    secrets = {**SECRETS, "HEYMARKET_SECRET_KEY": KEY[::-1]}
    code, again = provision([*arguments[:-1], other], secrets)
    check(code == 0, f"another key is made: {again}")
    for command in [again["burn"], made["burn"]]:
        code, printed = chip.burn(command)
        check(code != 0 and chip.file.read_bytes() == before, f"burnt twice: {printed}")

    # The device key has a block of its own on the same chip.
    device_key = folder / f"{name}.key"
    code, made = provision(["device-key", "--target", name, "--out", device_key], {})
    check(code == 0, f"the device key is made: {made}")
    code, printed = chip.burn(made["burn"])
    check(code == 0, f"the command runs: {printed}")
    fuses = chip.fuses()
    check(raw(fuses, "KEY_PURPOSE_1") == HMAC_UP, "the second purpose is HMAC_UP")
    check((raw(fuses, "WR_DIS"), raw(fuses, "RD_DIS")) == protections([0, 1]), "protection of both")
    check(key_bytes_hidden(fuses, 1), "the device key can't be read")
    code, printed = run([BIN / "espefuse", "--chip", name, *chip.virtual(), "check-error"])
    check(code == 0, f"the fuses are sound: {printed}")


def key_bytes_hidden(fuses, block):
    fuse = fuses[f"BLOCK_KEY{block}"]
    return not fuse["readable"] and not fuse["writeable"] and int(fuse["raw_value"], 16) == 0


def lengths(folder):
    """Keys of which the peripheral, with its zeros, would make another HMAC are refused."""
    for length in range(6, 100):
        out = folder / "length.hmac"
        arguments = ["efuse-key", "--api", "key-id", "--weak-key", "--out", out]
        secrets = {"KEY_ID_JWT_KID": KID, "KEY_ID_JWT_SECRET": "k" * length}
        code, made = provision(arguments, secrets)
        if 32 < length <= 64:
            check(code == 2 and not out.exists(), f"{length} bytes are refused: {made}")
            continue
        check(code == 0, f"{length} bytes are taken: {made}")
        token = sign(secrets, "--api", "key-id", "--weak-key", "--exp", "1713225900")
        check(signed_by(out.read_bytes(), token), f"{length} bytes sign alike")
        out.unlink()


def documented(folder):
    """Types what the board's README has a person type, from the first key to a chip that boots signed software alone."""
    readme = pathlib.Path(__file__).parents[2] / "boards/esp32/README.md"
    lines = readme.read_text().replace("\\\n", " ").splitlines()
    commands = [line.split(" #")[0] for line in lines if re.match("    (gateway|espefuse|espsecure) ", line)]
    name = CHIPS[0]
    chip = Chip(name, folder / "documented.fuses")
    (folder / "site7.env").write_text(f"HEYMARKET_SECRET_ID={ID}\nHEYMARKET_SECRET_KEY={KEY}\n")
    (folder / "site7.env").chmod(0o600)
    (folder / "app.bin").write_bytes(os.urandom(70_000))
    typed = []
    for command in commands:
        program, *arguments = shlex.split(command)
        typed.append(program)
        if program == "espefuse":
            code, printed = chip.burn(command)
        elif program == "espsecure":
            code, printed = run([BIN / program, *arguments], folder=folder)
        elif arguments[1] in ("efuse-key", "device-key"):
            code, printed = run([GATEWAY, *arguments], folder=folder)
        else:
            continue
        check(code == 0, f"{command}: {printed}")
    check({"espefuse", "espsecure", "gateway"} <= set(typed), f"the README has such commands: {typed}")

    fuses = chip.fuses()
    purposes = [raw(fuses, f"KEY_PURPOSE_{block}") for block in range(4)]
    check(purposes == [HMAC_UP, HMAC_UP, SECURE_BOOT_DIGEST0, XTS_AES_128_KEY], f"purposes {purposes}")
    hidden = raw(fuses, "RD_DIS")
    check(hidden == 0b1011, f"every key but the public one's digest is hidden: {hidden:#b}")
    check(key_bytes(fuses, 2) == (folder / "fleet.digest").read_bytes(), "the digest")
    for fuse, value in [
        ("SECURE_BOOT_EN", 1),
        ("SPI_BOOT_CRYPT_CNT", 7),
        ("DIS_PAD_JTAG", 1),
        ("DIS_USB_JTAG", 1),
        ("ENABLE_SECURITY_DOWNLOAD", 1),
    ]:
        check(raw(fuses, fuse) == value, fuse)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in CHIPS:
            rehearse(name, folder)
        lengths(folder)
        documented(folder)
        # Espressif's program takes 32 bytes and nothing else.
        chip = Chip(CHIPS[0], folder / "empty.fuses")
        for length in [31, 33, 64]:
            wrong = folder / "wrong.hmac"
            wrong.write_bytes(bytes(length))
            command = f"espefuse --chip {chip.name} burn-key BLOCK_KEY0 {wrong} HMAC_UP"
            code, printed = chip.burn(command)
            check(code != 0 and "32 bytes" in printed, f"{length} bytes are burnt: {printed}")
    print(f"{checks} checks passed")


main()
