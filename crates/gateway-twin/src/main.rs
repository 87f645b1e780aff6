//! A board that is a process: its console is a pseudo-terminal, whose name it prints, and its contacts are lines that it
//! reads from its input: `door`, `flood` and `button` press and release. It ends when its input does.

mod board;

use std::fs;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use board::{Console, Dog, LOOKOUT, PINS, Twin, wires};
use clap::Parser;
use gateway_firmware::{Parts, run};
use gateway_twin::{FileFlash, Sockets, block_on};
use jwt_core::HmacKey;
use secure_store::Region;

/// The store is all that is in the flash.
const REGION: Region = Region {
    start: 0,
    len: 64 * 1024,
};

/// The earliest time that it believes: 2026-01-01T00:00:00Z.
const BUILD_SECS: u64 = 1_767_225_600;

/// Longer than a contact has to be still.
const PRESS: Duration = Duration::from_millis(200);

/// Runs the gateway's firmware as a process.
#[derive(Parser)]
struct Args {
    /// The file that stands for the flash; it is made if it isn't there
    #[arg(long)]
    flash: PathBuf,
    /// The device key of the chip, in a file of 32 bytes; without it the chip has none
    #[arg(long)]
    device_key_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    match live(&Args::parse()) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("gateway-twin: {error}");
            ExitCode::FAILURE
        }
    }
}

fn live(args: &Args) -> io::Result<std::convert::Infallible> {
    let device_key = match &args.device_key_file {
        None => None,
        Some(path) => Some(HmacKey::new(&fs::read(path)?).map_err(io::Error::other)?),
    };
    let console = Console::open()?;
    println!("port {}", console.path());
    thread::spawn(obey);
    thread::spawn(|| block_on(LOOKOUT.keep(wires(), Dog)));
    let mut start = "power";
    loop {
        let (console_in, console_out) = console.halves()?;
        let parts = Parts::<Twin> {
            flash: FileFlash::open(&args.flash, REGION.len as usize)?,
            region: REGION,
            console_in,
            console_out,
            side: None,
            lookout: &LOOKOUT,
            light: board::Light,
            thermometer: board::Room,
            rtc: None,
            chip_keys: board::Chip(device_key.clone()),
            connect: Sockets,
            network: board::Cable,
            random: board::random,
            entropy: |bytes| getrandom::fill(bytes).is_ok(),
            build_secs: BUILD_SECS,
            start,
            last_words: "",
        };
        block_on(run(parts));
        start = "its own reset";
    }
}

/// Presses what is named, line by line.
fn obey() {
    for line in io::stdin().lock().lines() {
        let named = PINS
            .iter()
            .find(|(name, _)| matches!(&line, Ok(line) if line == name));
        let Some((_, pin)) = named else { continue };
        pin.store(true, Ordering::Relaxed);
        thread::sleep(PRESS);
        pin.store(false, Ordering::Relaxed);
        thread::sleep(PRESS);
    }
    std::process::exit(0);
}
