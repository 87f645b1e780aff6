"""Where the ESP32-C3 and the ESP32-C6 have what a firmware without radio needs, and how they are after power-on.

From their technical reference manuals, chapters "System and Memory", "Reset and Clock" and those of the
peripherals; registers are named as there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """The bits that give a peripheral its clock and that hold it in reset, each with its register."""

    clock: tuple[int, int]
    reset: tuple[int, int]


@dataclass(frozen=True)
class Map:
    # Start and length of RAM, of flash as it is mapped, and of the ROM's data.
    memories: list[tuple[int, int]]
    spi_mem: int
    efuse: int
    systimer: int
    hmac: int
    # SHA computes for the HMAC accelerator; the digital signature peripheral keeps SHA in reset while it is in
    # reset itself.
    hmac_gate: Gate
    sha_gate: Gate
    ds_gate: Gate
    power_on: dict[int, int]
    # Bits of registers that say at once that something is done.
    ready: dict[int, int]


def calibration(timer_group):
    """TIMG_RTCCALICFG and TIMG_RTCCALICFG1: the slow clock is measured, as so many cycles of the crystal."""
    return {timer_group + 0x68: 1 << 15, timer_group + 0x6C: 4000 << 7}


# SYSTEM_PERIP_CLK_EN1_REG and SYSTEM_PERIP_RST_EN1_REG.
C3_CLOCKS, C3_RESETS = 0x600C0014, 0x600C001C

ESP32C3 = Map(
    memories=[
        (0x3C000000, 0x800000),
        (0x3FC80000, 0x60000),
        (0x3FF00000, 0x20000),
        (0x4037C000, 0x64000),
        (0x42000000, 0x800000),
        (0x50000000, 0x2000),
    ],
    spi_mem=0x60002000,
    efuse=0x60008800,
    systimer=0x60023000,
    hmac=0x6003E000,
    hmac_gate=Gate((C3_CLOCKS, 1 << 5), (C3_RESETS, 1 << 5)),
    sha_gate=Gate((C3_CLOCKS, 1 << 2), (C3_RESETS, 1 << 2)),
    ds_gate=Gate((C3_CLOCKS, 1 << 4), (C3_RESETS, 1 << 4)),
    power_on={C3_CLOCKS: 0x200, C3_RESETS: 0x1FE},
    ready=calibration(0x6001F000),
)

# PCR_SHA_CONF_REG, PCR_DS_CONF_REG and PCR_HMAC_CONF_REG.
C6_SHA, C6_DS, C6_HMAC = 0x600960CC, 0x600960E0, 0x600960E4

ESP32C6 = Map(
    memories=[
        # What a core has of its own: interrupts and their priorities.
        (0x20000000, 0x2000),
        (0x40800000, 0x80000),
        (0x42000000, 0x1000000),
        (0x50000000, 0x4000),
    ],
    spi_mem=0x60003000,
    efuse=0x600B0800,
    systimer=0x6000A000,
    hmac=0x6008D000,
    hmac_gate=Gate((C6_HMAC, 1 << 0), (C6_HMAC, 1 << 1)),
    sha_gate=Gate((C6_SHA, 1 << 0), (C6_SHA, 1 << 1)),
    ds_gate=Gate((C6_DS, 1 << 0), (C6_DS, 1 << 1)),
    power_on={C6_SHA: 1, C6_DS: 1, C6_HMAC: 1},
    # And I2C_MST_ANA_CONF0: the analog parts' bus is calibrated.
    ready={**calibration(0x60008000), 0x600AF818: 1 << 24},
)

MAPS = {"esp32c3": ESP32C3, "esp32c6": ESP32C6}
