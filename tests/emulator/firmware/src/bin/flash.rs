//! Appends pages to a sector through the boot ROM, and tells at each boot what it finds there.

#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_rp::flash::{Blocking, ERASE_SIZE, Flash};
use embassy_rp::peripherals::FLASH;
use embassy_time::Timer;
use emulator_firmware::{Console, say};

const FLASH_BYTES: usize = 2 * 1024 * 1024;
const SECTOR: u32 = 1984 * 1024;
const PAGE_BYTES: usize = 256;
const PAGES: usize = ERASE_SIZE / PAGE_BYTES;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let mut console = Console::new(p.UART0, p.PIN_0);
    let mut flash = Flash::<_, Blocking, FLASH_BYTES>::new_blocking(p.FLASH);

    let mut id = [0; 8];
    let read = flash.blocking_unique_id(&mut id);
    say!(console, "unique {id:02x?} {read:?}");
    say!(console, "jedec {:06x?}", flash.blocking_jedec_id());
    let letters = letters(&mut flash);
    say!(
        console,
        "sector {}",
        core::str::from_utf8(&letters).unwrap_or("?")
    );

    for round in 0.. {
        let page = round % PAGES;
        if page == 0 {
            let erased = flash.blocking_erase(SECTOR, SECTOR + ERASE_SIZE as u32);
            say!(console, "erased {erased:?}");
        }
        let at = SECTOR + (page * PAGE_BYTES) as u32;
        let written = flash.blocking_write(at, &[page as u8; PAGE_BYTES]);
        say!(console, "wrote {page} {written:?}");
        Timer::after_millis(1).await;
    }
}

/// One letter a page: written, blank, torn, or unreadable.
fn letters(flash: &mut Flash<'_, FLASH, Blocking, FLASH_BYTES>) -> [u8; PAGES] {
    core::array::from_fn(|page| {
        let mut bytes = [0; PAGE_BYTES];
        let read = flash.blocking_read(SECTOR + (page * PAGE_BYTES) as u32, &mut bytes);
        match read {
            Err(_) => b'e',
            Ok(()) if bytes.iter().all(|&byte| byte == page as u8) => b'w',
            Ok(()) if bytes.iter().all(|&byte| byte == 0xff) => b'-',
            Ok(()) => b't',
        }
    })
}
