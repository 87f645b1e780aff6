//! Checks what goes into Espressif's chips.

use crate::install;
use crate::layout::Layout;
use crate::runner::{Log, Stop};

/// Burns keys into the fuses of virtual chips, as the gateway program says.
pub fn espefuse(layout: &Layout, log: &mut Log) -> Result<(), Stop> {
    let python = install::python(layout, log, "espefuse")?;
    log.run(&mut layout.cargo(["build", "--locked", "--package", "gateway"]))?;
    let mut rehearse = layout.command(&python.to_string_lossy());
    rehearse.arg(layout.root("tests/espefuse/rehearse.py"));
    Ok(log.run(rehearse.arg(layout.target("debug/gateway")))?)
}
