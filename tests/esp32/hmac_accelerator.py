"""The HMAC accelerator, as the ESP32-C3 Technical Reference Manual describes its upstream mode.

The MAC is Python's, over the message without its padding, which has to be right. A step that the manual doesn't
have at that place is kept in `violations`.
"""

import hashlib
import hmac

# Offsets of registers that are no commands.
PURPOSE, KEY = 0x44, 0x48
ERROR, BUSY = 0x68, 0x6C
MESSAGE, MESSAGE_END = 0x80, 0xC0
RESULT, RESULT_END = 0xC0, 0xE0

BLOCK_LEN = 64
# How often it says that it is busy after each step.
POLLS = 3


class HmacAccelerator:
    def __init__(self, purpose_of, keys, clocked):
        self.purpose_of = purpose_of
        self.keys = keys
        self.clocked = clocked
        self.violations = []
        self.macs = 0
        self.purpose = self.key = 0
        self.block = bytearray(BLOCK_LEN)
        self.result = bytes(32)
        self.polls = 0
        self.step = "idle"
        self.message = b""

    def mismatch(self):
        return self.key > 5 or self.purpose_of(self.key) != self.purpose

    def read(self, offset):
        running, sha_running = self.clocked()
        if not running:
            return 0
        if offset == ERROR:
            return int(self.mismatch())
        if offset == BUSY:
            busy = self.polls > 0
            # Without SHA it waits for ever.
            self.polls = max(self.polls - int(sha_running), 0)
            return int(busy)
        if RESULT <= offset < RESULT_END and self.step == "done" and self.polls == 0:
            at = offset - RESULT
            return int.from_bytes(self.result[at : at + 4], "little")
        self.violations.append(f"{offset:#x} read when {self.step}")
        return 0

    def write(self, offset, value):
        running, _ = self.clocked()
        if not running:
            self.violations.append(f"{offset:#x} written without a clock")
            return
        if self.polls > 0:
            self.violations.append(f"{offset:#x} written while busy")
        if MESSAGE <= offset < MESSAGE_END:
            at = offset - MESSAGE
            self.block[at : at + 4] = value.to_bytes(4, "little")
        elif offset == PURPOSE:
            self.purpose = value & 0xF
        elif offset == KEY:
            self.key = value & 0x7
        else:
            self.command(offset)
            self.polls = POLLS

    def command(self, offset):
        match (offset, self.step):
            case (0x40, "idle"):  # SET_START
                self.step = "started"
            case (0x4C, "started"):  # SET_PARA_FINISH
                self.message = b""
                self.step = "refused" if self.mismatch() else "configured"
            case (0x50, "configured"):  # SET_MESSAGE_ONE
                self.message += self.block
                self.step = "block"
            case (0x54, "block"):  # SET_MESSAGE_ING
                self.step = "configured"
            case (0xF0, "block"):  # SET_MESSAGE_PAD
                self.step = "last"
            case (0x50, "last"):  # SET_MESSAGE_ONE
                self.message += self.block
                self.finish()
            case (0xF4, "block") if len(self.message) == BLOCK_LEN:  # ONE_BLOCK
                self.finish()
            case (0x5C, "done" | "refused"):  # SET_RESULT_FINISH
                self.result = bytes(32)
                self.step = "idle"
            case _:
                self.violations.append(f"{offset:#x} written when {self.step}")

    def finish(self):
        self.step = "done"
        self.macs += 1
        bits = int.from_bytes(self.message[-8:], "big")
        length = bits // 8 - BLOCK_LEN
        message = self.message[: max(length, 0)]
        padding = b"\x80" + bytes(-(len(message) + 9) % BLOCK_LEN) + bits.to_bytes(8, "big")
        if message + padding != self.message:
            self.violations.append("the padding is not SHA-256's")
            return
        # The key's 32 bytes and zeros fill HMAC's block.
        key = self.keys[self.key] + bytes(32)
        self.result = hmac.new(key, message, hashlib.sha256).digest()
