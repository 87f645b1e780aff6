"""An ESP32-C3 or ESP32-C6 as far as a firmware without radio needs it: to boot, read its flash and eFuses, sign, and print.

The core and the memories are Unicorn's. What the ROM does is done here, by the names that the firmware was linked with:
each function is one of those below or ends the run. Of the peripherals the HMAC accelerator, the eFuse controller and
the system timer are modelled; another register reads as what was last written to it, but for the bits in `Map.ready`.
"""

import hashlib
import struct

import unicorn
from unicorn import riscv_const as riscv

from hmac_accelerator import HmacAccelerator
from maps import MAPS

ROM_CODE, ROM_CODE_LEN = 0x40000000, 0x60000
PERIPHERALS, PERIPHERALS_LEN = 0x60000000, 0xD1000
EFUSE_LEN = HMAC_LEN = 0x200

# Offsets of registers.
SPI_MEM_CMD, SPI_MEM_W0 = 0x00, 0x58
SYSTIMER_UNIT0_OP, SYSTIMER_UNIT0_HI, SYSTIMER_UNIT0_LO = 0x04, 0x40, 0x44

SPI_MEM_FLASH_RDID = 1 << 28

TICKS_PER_US = 16
# What a look at the timer takes, so that waiting ends soon.
TICKS_PER_LOOK = 100 * TICKS_PER_US

# A 4 MB flash's answer to "read identification": maker, kind, and the power of two of its size.
FLASH_ID = 0xC8 | 0x40 << 8 | 0x16 << 16
SECTOR = 4096

# Where the boot loader finds the application, and what begins its image.
APP, IMAGE_MAGIC, APP_HEADER_LEN = 0x10000, 0xE9, 24

# Control and status registers that QEMU's core lacks: triggers for debugging, performance counters, Espressif's GPIO.
MISSING_CSRS = {*range(0x7A0, 0x7A6), *range(0x7E0, 0x7E3), *range(0x800, 0x806)}

# ROM functions that touch nothing of what is modelled: analog parts, caches, clocks' book-keeping, output's end.
NOTHING = {
    "Cache_Resume_ICache",
    "Cache_Suspend_ICache",
    "esp_rom_regi2c_read",
    "ets_get_printf_channel",
    "ets_update_cpu_frequency",
    "rom_config_instruction_cache_mode",
    "rom_i2c_writeReg",
    "rom_i2c_writeReg_Mask",
    "uart_tx_flush",
    "uart_tx_wait_idle",
}


class Stopped(Exception):
    """A run that ended as no firmware's should."""


def rom_names(elf):
    """The ROM's functions, some with several names, by address: an ELF file's absolute symbols in its range."""
    (sections_at,) = struct.unpack_from("<I", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 46)
    sections = [struct.unpack_from("<10I", elf, sections_at + n * size) for n in range(count)]
    names = {}
    for _, kind, _, _, offset, length, link, *_ in sections:
        if kind != 2:
            continue
        strings = sections[link][4]
        for at in range(offset, offset + length, 16):
            name, value, _, _, _, section = struct.unpack_from("<IIIBBH", elf, at)
            if section == 0xFFF1 and ROM_CODE <= value < ROM_CODE + ROM_CODE_LEN:
                end = elf.index(b"\0", strings + name)
                names.setdefault(value, []).append(elf[strings + name : end].decode())
    return names


class Chip:
    """A chip with its flash, its eFuses and what they hide.

    `fuses` is a file of `espefuse --virt`; `keys` holds the blocks' keys, which such a file doesn't show once they
    are protected.
    """

    def __init__(self, name, flash, elf, fuses, keys):
        self.map = MAPS[name]
        self.flash = bytearray(flash)
        self.rom = rom_names(elf)
        self.fuses = fuses
        self.hmac = HmacAccelerator(self.key_purpose, keys, self.clocked)
        self.registers = dict(self.map.power_on)
        self.ticks = 0
        self.printed = bytearray()
        self.md5 = None
        self.fault = None
        self.was_reset = False
        self.core = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        for start, length in [*self.map.memories, (ROM_CODE, ROM_CODE_LEN)]:
            self.core.mem_map(start, length)
        self.core.mmio_map(PERIPHERALS, PERIPHERALS_LEN, self.read, None, self.write, None)
        # Wherever the ROM is called: `ret`, after what is done here.
        self.core.mem_write(ROM_CODE, struct.pack("<I", 0x00008067) * (ROM_CODE_LEN // 4))
        self.core.hook_add(
            unicorn.UC_HOOK_CODE, self.call_rom, begin=ROM_CODE, end=ROM_CODE + ROM_CODE_LEN - 1
        )
        self.core.hook_add(unicorn.UC_HOOK_INTR, self.exception)
        self.core.hook_add(unicorn.UC_HOOK_MEM_INVALID, self.no_memory)

    def run(self, seconds):
        """Boots, and runs for so much of the chip's time or until it resets itself; returns what it printed."""
        entry = self.boot()
        self.ends_at = int(seconds * 1_000_000 * TICKS_PER_US)
        try:
            self.core.emu_start(entry, 0, count=400_000_000)
        except unicorn.UcError as error:
            self.fault = self.fault or str(error)
        if self.fault is None and self.ticks < self.ends_at and not self.was_reset:
            self.fault = "it neither ended nor waited"
        if self.fault:
            at = self.core.reg_read(riscv.UC_RISCV_REG_PC)
            raise Stopped(f"{self.fault} at {at:#x}; printed so far:\n{self.text()}")
        return self.text()

    def text(self):
        return self.printed.decode(errors="replace")

    def boot(self):
        """Loads the application's segments as the boot loader does; returns where it begins."""
        magic, count = self.flash[APP], self.flash[APP + 1]
        if magic != IMAGE_MAGIC:
            raise Stopped("no application in the flash")
        entry = struct.unpack_from("<I", self.flash, APP + 4)[0]
        at = APP + APP_HEADER_LEN
        for _ in range(count):
            address, length = struct.unpack_from("<II", self.flash, at)
            at += 8
            # Segments of address 0 fill the file up to the next page of the flash's mapping.
            if address != 0:
                self.core.mem_write(address, bytes(self.flash[at : at + length]))
            at += length
        return entry

    def fuse_register(self, offset):
        """A register of the eFuse controller; the file has them from the last to the first."""
        at = len(self.fuses) - offset - 4
        return int.from_bytes(self.fuses[at : at + 4], "big")

    def key_purpose(self, block):
        """KEY_PURPOSE_n: four bits each, from bit 24 of EFUSE_RD_REPEAT_DATA1 on."""
        bit = 24 + 4 * block
        return self.fuse_register(0x34 + bit // 32 * 4) >> bit % 32 & 0xF

    def clocked(self):
        """Whether the HMAC accelerator runs, and whether SHA does."""
        hmac, sha, ds = (
            self.has(gate.clock) and not self.has(gate.reset)
            for gate in (self.map.hmac_gate, self.map.sha_gate, self.map.ds_gate)
        )
        return hmac, sha and ds

    def has(self, place):
        register, bit = place
        return bool(self.registers.get(register, 0) & bit)

    def read(self, _core, offset, _size, _data):
        address = PERIPHERALS + offset
        if 0 <= address - self.map.efuse < EFUSE_LEN:
            return self.fuse_register(address - self.map.efuse)
        if 0 <= address - self.map.hmac < HMAC_LEN:
            return self.hmac.read(address - self.map.hmac)
        if address == self.map.systimer + SYSTIMER_UNIT0_OP:
            return 1 << 29
        if address == self.map.systimer + SYSTIMER_UNIT0_HI:
            return self.ticks >> 32
        if address == self.map.systimer + SYSTIMER_UNIT0_LO:
            return self.ticks & 0xFFFFFFFF
        if address == self.map.spi_mem + SPI_MEM_CMD:
            return 0
        return self.map.ready.get(address, 0) | self.registers.get(address, 0)

    def write(self, _core, offset, _size, value, _data):
        address = PERIPHERALS + offset
        if 0 <= address - self.map.hmac < HMAC_LEN:
            self.hmac.write(address - self.map.hmac, value)
        elif address == self.map.systimer + SYSTIMER_UNIT0_OP:
            self.pass_time(TICKS_PER_LOOK)
        elif address == self.map.spi_mem + SPI_MEM_CMD and value & SPI_MEM_FLASH_RDID:
            self.registers[self.map.spi_mem + SPI_MEM_W0] = FLASH_ID
        else:
            self.registers[address] = value

    def pass_time(self, ticks):
        self.ticks += ticks
        if self.ticks >= self.ends_at:
            self.core.emu_stop()

    def stop(self, fault):
        self.fault = fault
        self.core.emu_stop()

    def exception(self, core, number, _data):
        """Steps over the registers that this core lacks; anything else ends the run."""
        at = core.reg_read(riscv.UC_RISCV_REG_PC)
        (instruction,) = struct.unpack("<I", core.mem_read(at, 4))
        if instruction & 0x7F == 0x73 and instruction >> 20 in MISSING_CSRS:
            core.reg_write(riscv.UC_RISCV_REG_PC, at + 4)
        else:
            self.stop(f"exception {number}")

    def no_memory(self, _core, _access, address, *_):
        self.fault = f"no memory at {address:#x}"
        return False

    def call_rom(self, core, address, _size, _data):
        names = self.rom.get(address, [f"{address:#x}"])
        functions = [getattr(self, f"rom_{name}", None) for name in names]
        function = next(filter(None, functions), None)
        arguments = [core.reg_read(riscv.UC_RISCV_REG_A0 + n) for n in range(4)]
        if function:
            result = function(*arguments)
        elif NOTHING.intersection(names):
            result = 0
        else:
            self.stop(f"the ROM's {names[0]} is not modelled")
            return
        core.reg_write(riscv.UC_RISCV_REG_A0, result & 0xFFFFFFFF)
        if names[0].endswith("di3"):
            core.reg_write(riscv.UC_RISCV_REG_A1, result >> 32 & 0xFFFFFFFF)

    def memory(self, address, length):
        return bytes(self.core.mem_read(address, length)) if length else b""

    # The ROM's functions, by the names that the vendor's linker scripts give them.

    def rom_rtc_get_reset_reason(self, *_):
        return 1  # power-on

    def rom_software_reset(self, *_):
        self.was_reset = True
        self.core.emu_stop()
        return 0

    def rom_ets_delay_us(self, microseconds, *_):
        self.pass_time(microseconds * TICKS_PER_US)
        return 0

    def rom_uart_tx_one_char(self, char, *_):
        self.printed.append(char & 0xFF)
        return 0

    def rom_esp_rom_spiflash_read(self, offset, to, length, *_):
        self.core.mem_write(to, bytes(self.flash[offset : offset + length]))
        return 0

    def rom_esp_rom_spiflash_write(self, offset, source, length, *_):
        for at, byte in enumerate(self.memory(source, length), offset):
            self.flash[at] &= byte
        return 0

    def rom_esp_rom_spiflash_erase_sector(self, sector, *_):
        self.flash[sector * SECTOR : (sector + 1) * SECTOR] = b"\xff" * SECTOR
        return 0

    def rom_esp_rom_spiflash_unlock(self, *_):
        return 0

    def rom_MD5Init(self, *_):
        self.md5 = hashlib.md5()
        return 0

    def rom_MD5Update(self, _context, data, length, *_):
        self.md5.update(self.memory(data, length))
        return 0

    def rom_MD5Final(self, digest, *_):
        self.core.mem_write(digest, self.md5.digest())
        return 0

    def rom_memcpy(self, to, source, length, *_):
        self.core.mem_write(to, self.memory(source, length))
        return to

    rom_memmove = rom_memcpy

    def rom_memset(self, to, byte, length, *_):
        self.core.mem_write(to, bytes([byte & 0xFF]) * length)
        return to

    def rom_memcmp(self, one, other, length, *_):
        one, other = self.memory(one, length), self.memory(other, length)
        return (one > other) - (one < other)

    rom_bcmp = rom_memcmp

    def rom___udivdi3(self, low, high, by_low, by_high):
        return (low | high << 32) // (by_low | by_high << 32)

    def rom___umoddi3(self, low, high, by_low, by_high):
        return (low | high << 32) % (by_low | by_high << 32)

    def rom___muldi3(self, low, high, by_low, by_high):
        return (low | high << 32) * (by_low | by_high << 32)

    def rom___lshrdi3(self, low, high, by, *_):
        return (low | high << 32) >> (by & 63)

    def rom___ashldi3(self, low, high, by, *_):
        return (low | high << 32) << (by & 63)
