//! Runs steps one after another and reports them: a line for a step that passes, everything a step
//! printed if it fails.

use std::env;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::layout::Layout;

/// Why a step did not pass.
pub enum Stop {
    /// The check found something, or broke.
    Failed(anyhow::Error),
    /// The machine lacks something that could not be installed; the text says what, and how to get it.
    Skipped(String),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a step does, given the log that its commands write to.
type Work<'a> = Box<dyn FnOnce(&mut Log) -> Result<(), Stop> + 'a>;

/// A named check.
pub struct Step<'a> {
    name: String,
    work: Work<'a>,
}

impl<'a> Step<'a> {
    pub fn new(
        name: impl Into<String>,
        work: impl FnOnce(&mut Log) -> Result<(), Stop> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            work: Box::new(work),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The file that collects what a step's commands print. It can be followed while the step runs.
pub struct Log {
    path: PathBuf,
    file: File,
    notes: Vec<String>,
}

impl Log {
    /// Creates the log called `name`, in the place of an earlier one.
    pub fn create(layout: &Layout, name: &str) -> Result<Self> {
        let directory = layout.target("xtask-logs");
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}.log", name.replace([' ', '/'], "-")));
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self {
            path,
            file,
            notes: Vec::new(),
        })
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        writeln!(self.file, "{}", text.as_ref())?;
        Ok(())
    }

    /// Writes a line that is also shown under a step that passes.
    pub fn note(&mut self, text: impl Into<String>) -> Result<()> {
        let text = text.into();
        self.line(&text)?;
        self.notes.push(text);
        Ok(())
    }

    /// Runs `command` with its output going to the log.
    ///
    /// # Errors
    /// The command could not be started, or its exit status is not 0.
    pub fn run(&mut self, command: &mut Command) -> Result<()> {
        self.spawn(command.stdout(self.file.try_clone()?)).map(drop)
    }

    /// Runs `command` and returns its standard output; standard error goes to the log.
    ///
    /// # Errors
    /// The command could not be started, its exit status is not 0, or its output is not UTF-8.
    pub fn output(&mut self, command: &mut Command) -> Result<String> {
        Ok(String::from_utf8(
            self.spawn(command.stdout(Stdio::piped()))?,
        )?)
    }

    fn spawn(&mut self, command: &mut Command) -> Result<Vec<u8>> {
        let shown = show(command);
        self.line(format!("$ {shown}"))?;
        let output = command
            .stdin(Stdio::null())
            .stderr(self.file.try_clone()?)
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .with_context(|| format!("starting `{shown}`"))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(anyhow!("`{shown}` ended with {}", output.status))
        }
    }
}

/// Returns the command line for a reader: without quoting, and without the program's directory.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let words = program.into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// Runs every step, whatever became of the ones before it, and prints the count as the last line.
///
/// With `CI=true` in the environment a step that would be skipped fails.
pub fn run(layout: &Layout, steps: Vec<Step>) -> Result<ExitCode> {
    let in_ci = env::var("CI").is_ok_and(|value| value == "true");
    let total = steps.len();
    let (mut passed, mut failed, mut skipped) = (0, 0, Vec::new());
    let started = Instant::now();

    for (index, step) in steps.into_iter().enumerate() {
        let title = format!("[{:2}/{total}] {:<34}", index + 1, step.name);
        let log = Log::create(layout, &step.name)?;
        let path = log.path.clone();
        let (result, notes, time) = timed(&title, step.work, log);
        let secs = time.as_secs_f64();
        match result {
            Ok(()) => {
                passed += 1;
                println!("{title} ok      {secs:6.1} s");
                notes.iter().for_each(|note| println!("{note}"));
            }
            Err(Stop::Skipped(reason)) if !in_ci => {
                println!("{title} skipped {secs:6.1} s");
                skipped.push((step.name, reason));
            }
            Err(stop) => {
                failed += 1;
                println!("{title} FAILED  {secs:6.1} s");
                let log = fs::read(&path)?;
                io::stdout().write_all(&log)?;
                match stop {
                    Stop::Failed(error) => println!("error: {error:#}"),
                    Stop::Skipped(reason) => {
                        println!("error: with CI=true nothing may be skipped: {reason}");
                    }
                }
                println!("--- end of {} ---", step.name);
            }
        }
    }

    println!("{:.0} s in all", started.elapsed().as_secs_f64());
    for (name, reason) in &skipped {
        println!("skipped: {name}: {reason}");
    }
    println!(
        "{passed} passed, {failed} failed, {} skipped",
        skipped.len()
    );
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Does `work`, showing on a terminal how long it has been going on; returns the log's notes too.
fn timed(title: &str, work: Work, mut log: Log) -> (Result<(), Stop>, Vec<String>, Duration) {
    let started = Instant::now();
    let terminal = io::stdout().is_terminal();
    let (done, ticks) = mpsc::channel::<()>();
    let result = thread::scope(|scope| {
        if terminal {
            scope.spawn(move || {
                let tick = Duration::from_millis(200);
                while ticks.recv_timeout(tick) == Err(mpsc::RecvTimeoutError::Timeout) {
                    print!(
                        "\r{title} …       {:6.1} s",
                        started.elapsed().as_secs_f64()
                    );
                    let _ = io::stdout().flush();
                }
                print!("\r");
            });
        } else {
            println!("{title} …");
        }
        let result = work(&mut log);
        drop(done);
        result
    });
    (result, log.notes, started.elapsed())
}
