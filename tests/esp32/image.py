"""Looks into a merged flash image as Espressif's own program does.

Usage: image.py GATEWAY CHIP IMAGE STORE

The parts have to lie where the chip's ROM, the boot loader and `boards/esp32/partitions.csv` say, to be sound, and to
be all there is: `esptool merge-bin` makes the same bytes of them.
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

TABLE, TABLE_END = 0x8000, 0x9000
FLASH_LEN = 4 * 1024 * 1024
# esp_image_header_t: the chip that an image is for.
CHIP_IDS = {"esp32c3": 5, "esp32c6": 13}
BIN = pathlib.Path(sys.executable).parent


def run(*arguments):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"failed: {arguments}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(passed, what):
    if not passed:
        sys.exit(f"failed: {what}")


def partitions(path):
    """Name, type, subtype, offset and size of each line that is no comment."""
    with open(path, newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    rows = [[field.strip() for field in row] for row in csv.reader(lines)]
    return {row[0]: (row[1], row[2], int(row[3], 0), int(row[4], 0)) for row in rows}


def table_entries(table):
    """The same of the table in the flash, whose types are numbers."""
    entries = {}
    for at in range(0, len(table), 32):
        entry = table[at : at + 32]
        if entry[:2] != b"\xaa\x50":
            break
        name = entry[12:28].rstrip(b"\0").decode()
        offset, size = (int.from_bytes(entry[i : i + 4], "little") for i in (4, 8))
        entries[name] = (entry[2], entry[3], offset, size)
    return entries


def app_image(flash, at):
    """An image from its header to its hash: segments, a checksum in the last of 16 bytes, 32 bytes of SHA-256."""
    end = at + 24
    for _ in range(flash[at + 1]):
        end += 8 + int.from_bytes(flash[end + 4 : end + 8], "little")
    end += 16 - (end - at) % 16
    hashed = flash[at + 23] == 1
    return flash[at : end + 32 * hashed]


def main():
    gateway, chip, image, store = sys.argv[1:]
    flash = pathlib.Path(image).read_bytes()
    check(len(flash) == FLASH_LEN, f"the image has {len(flash)} bytes")

    board = pathlib.Path(__file__).parents[2] / "boards/esp32"
    wanted = partitions(board / "partitions.csv")
    found = table_entries(flash[TABLE:TABLE_END])
    check(
        {name: row[2:] for name, row in found.items()}
        == {name: row[2:] for name, row in wanted.items()},
        f"the table has {found}",
    )
    _, _, app_at, _ = wanted["factory"]
    _, _, store_at, store_len = wanted["store"]

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        parts = {
            0: app_image(flash, 0),
            TABLE: flash[TABLE:TABLE_END],
            app_at: app_image(flash, app_at),
            store_at: flash[store_at : store_at + store_len],
        }
        merge = []
        for offset, part in parts.items():
            path = folder / f"{offset:#x}.bin"
            path.write_bytes(part)
            merge += [hex(offset), path]

        for offset in [0, app_at]:
            check(parts[offset][12] == CHIP_IDS[chip], f"another chip's image at {offset:#x}")
            told = run(BIN / "esptool", "--chip", chip, "image-info", folder / f"{offset:#x}.bin")
            sound = [line for line in told.splitlines() if "(valid)" in line]
            check(len(sound) == 2 and "(invalid" not in told, f"checksum and hash: {told}")

        merged = folder / "merged.bin"
        arguments = ["--output", merged, "--pad-to-size", "4MB", *merge]
        run(BIN / "esptool", "--chip", chip, "merge-bin", *arguments)
        check(merged.read_bytes() == flash, "merge-bin makes another image")

        check(parts[store_at] == pathlib.Path(store).read_bytes(), "the store is another")
        shown = run(gateway, "provision", "show", folder / f"{store_at:#x}.bin")
        print(shown)

        # The command that is printed for a store alone names the same place.
        out = folder / "alone.bin"
        environment = {
            "HEYMARKET_SECRET_ID": "74f80a77-9b3f-44ac-b3ad-ab68cfb548fa",
            "HEYMARKET_SECRET_KEY": "cPQku7lnSLbnK88UFOBg1a6Q3t1w1RgK",
        }
        arguments = ["--target", chip, "--api", "heymarket", "--out", out]
        done = subprocess.run(
            [gateway, "provision", "image", *arguments], env=environment, capture_output=True, text=True
        )
        command = f"espflash write-bin --chip {chip} {store_at:#x} {out}"
        check(command in done.stdout, f"another command: {done.stdout}{done.stderr}")
    print("the image is in order")


main()
