//! `send --outbox`: alerts that outlast the program, also when it is killed.

mod common;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use api_standin::{Fault, Kind, Standin};

use common::*;

fn send(url: &str, outbox: &Path, args: &[&str]) -> Gateway {
    let base = [
        "send",
        "--base-url",
        url,
        "--outbox",
        outbox.to_str().unwrap(),
    ];
    gateway(base.iter().chain(args)).heymarket().account()
}

fn alert(text: &str) -> [&str; 4] {
    ["--to", "15551234567", "--text", text]
}

fn texts(standin: &Standin) -> Vec<String> {
    let messages = standin.messages().into_iter();
    messages.map(|message| message.text.unwrap()).collect()
}

#[test]
fn what_could_not_be_delivered_is_delivered_later() {
    let standin = standin();
    let outbox = tempfile::tempdir().unwrap();
    let nobody = closed_port();
    for text in ["first", "second"] {
        let args = [&alert(text)[..], &["--for", "0", "--json"]].concat();
        let run = send(&nobody, outbox.path(), &args).run().exits(4);
        assert_eq!(run.json()["outcome"], "not-delivered");
    }
    let url = heymarket_url(&standin);
    let json = send(&url, outbox.path(), &["--json"]).run().exits(0).json();
    assert_eq!(texts(&standin), ["first", "second"]);
    assert_eq!(json["alerts"].as_array().unwrap().len(), 2);
    assert_eq!(json["outbox"]["queued"], 0);
    let local_ids: HashSet<_> = standin
        .messages()
        .into_iter()
        .map(|message| message.local_id)
        .collect();
    assert_eq!(local_ids.len(), 2);
    // Nothing is left, and nothing is sent again.
    send(&url, outbox.path(), &[]).run().exits(0);
    assert_eq!(texts(&standin).len(), 2);
}

#[test]
fn a_new_alert_takes_older_ones_along() {
    let standin = standin();
    let outbox = tempfile::tempdir().unwrap();
    let args = [&alert("old")[..], &["--for", "0"]].concat();
    send(&closed_port(), outbox.path(), &args).run().exits(4);
    let run = send(&heymarket_url(&standin), outbox.path(), &alert("new"))
        .run()
        .exits(0);
    assert!(run.stdout.contains("0 waiting"), "{run:?}");
    assert_eq!(texts(&standin), ["old", "new"]);
}

#[test]
fn a_doubtful_alert_is_held_until_told_otherwise() {
    let standin = standin();
    let url = heymarket_url(&standin);
    for (what, deliveries) in [("resend", 2), ("discard", 1)] {
        let outbox = tempfile::tempdir().unwrap();
        standin.inject(Fault::next(1, Kind::DropAfterResponseBytes(0)));
        let run = send(&url, outbox.path(), &alert(what))
            .run()
            .fails(5, &["may have been"]);
        assert!(run.stdout.contains("1 may have been sent"), "{run:?}");
        for _ in 0..2 {
            let run = send(&url, outbox.path(), &[]).run().exits(5);
            assert!(run.stdout.contains("1 may have been sent"), "{run:?}");
        }
        // The exit code is the new alert's.
        send(&url, outbox.path(), &alert("another")).run().exits(0);
        let run = send(&url, outbox.path(), &["--doubtful", what])
            .run()
            .exits(0);
        assert!(run.stdout.contains("0 may have been sent"), "{run:?}");
        let delivered = texts(&standin).iter().filter(|text| *text == what).count();
        assert_eq!(delivered, deliveries);
    }
}

#[test]
fn a_rejected_alert_is_kept_and_shown() {
    let standin = standin();
    let url = heymarket_url(&standin);
    let outbox = tempfile::tempdir().unwrap();
    standin.inject(Fault::next(1, Kind::Status(400)));
    send(&url, outbox.path(), &alert("x"))
        .run()
        .fails(3, &["rejected for good"]);
    let run = send(&url, outbox.path(), &[]).run().exits(3);
    assert!(run.stdout.contains("1 rejected"), "{run:?}");
    send(&url, outbox.path(), &["--rejected", "resend"])
        .run()
        .exits(0);
    assert_eq!(texts(&standin), ["x"]);
}

#[test]
fn the_outbox_is_its_owners() {
    let outbox = tempfile::tempdir().unwrap();
    let path = outbox.path().join("new/outbox");
    let args = [&alert("secret text")[..], &["--for", "0"]].concat();
    send(&closed_port(), &path, &args).run().exits(4);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[test]
fn an_outbox_that_can_not_be_used() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let run = send(&closed_port(), file.path(), &alert("x")).run();
    run.fails(2, &["can't use the outbox"]);
}

#[test]
fn a_damaged_record_does_not_hold_up_the_others() {
    let standin = standin();
    let outbox = tempfile::tempdir().unwrap();
    for text in ["first", "second"] {
        let args = [&alert(text)[..], &["--for", "0"]].concat();
        send(&closed_port(), outbox.path(), &args).run().exits(4);
    }
    fs::write(outbox.path().join("00001.alert"), "damaged").unwrap();
    let run = send(&heymarket_url(&standin), outbox.path(), &[])
        .run()
        .exits(1);
    assert!(run.stdout.contains("1 damaged"), "{run:?}");
    assert_eq!(texts(&standin), ["second"]);
}

#[test]
fn two_programs_do_not_share_an_outbox() {
    let standin = standin();
    let url = heymarket_url(&standin);
    let outbox = tempfile::tempdir().unwrap();
    standin.inject(Fault::next(1, Kind::StallAfterResponseBytes(0)));
    let quiet = |args: &[&str]| {
        let mut command = send(&url, outbox.path(), args).command();
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut first = quiet(&[&alert("first")[..], &["--timeout", "600"]].concat());
    eventually(|| !standin.messages().is_empty());
    let args = [&alert("second")[..], &["--for", "0"]].concat();
    send(&url, outbox.path(), &args)
        .run()
        .fails(4, &["in use by another"]);
    // One that has the time waits for the other.
    let mut third = quiet(&[&alert("third")[..], &["--for", "600"]].concat());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(texts(&standin), ["first"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(third.wait().unwrap().success());
    assert_eq!(texts(&standin), ["first", "third"]);
}

#[test]
fn nothing_secret_is_on_the_command_line() {
    let standin = standin();
    standin.inject(Fault::always(Kind::StallAfterResponseBytes(0)));
    let outbox = tempfile::tempdir().unwrap();
    let mut child = send(&heymarket_url(&standin), outbox.path(), &alert("x")).command();
    let mut child = child
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually(|| !standin.messages().is_empty());
    let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let line = String::from_utf8_lossy(&line);
    assert!(line.contains("send") && !line.contains(SECRET_KEY) && !line.contains("eyJ"));
    for file in fs::read_dir(outbox.path()).unwrap() {
        let text = fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(SECRET_KEY) && !text.contains("eyJ"));
    }
}

/// Kills the program at many moments of its run, and then has everything delivered.
#[test]
fn a_kill_at_any_moment_loses_nothing() {
    const KILLS: u32 = 60;
    let standin = standin();
    let url = heymarket_url(&standin);
    let outbox = tempfile::tempdir().unwrap();
    let log = tempfile::tempdir().unwrap();
    // So that some are killed while the answer is awaited.
    standin.inject(Fault::always(Kind::Delay(Duration::from_millis(15))));
    let other = tempfile::tempdir().unwrap();
    let unharmed = |_| {
        let started = Instant::now();
        send(&url, other.path(), &alert("unharmed")).run().exits(0);
        started.elapsed()
    };
    let whole_run = (0..3).map(unharmed).min().unwrap();
    let mut stored = Vec::new();
    let mut killed = 0;
    for n in 0..KILLS {
        if n == 50 {
            standin.inject(Fault::always(Kind::StallAfterResponseBytes(0)));
        }
        let text = format!("alert {n}");
        let stderr = log.path().join(n.to_string());
        let arrived = standin.messages().len();
        let mut child = send(&url, outbox.path(), &alert(&text))
            .command()
            .stdout(Stdio::null())
            .stderr(fs::File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        match n {
            // Every moment, on a machine of any speed.
            0..40 => std::thread::sleep(whole_run * n / 40),
            40..50 => eventually(|| fs::read_to_string(&stderr).unwrap().contains("stored as")),
            _ => eventually(|| standin.messages().len() > arrived),
        }
        child.kill().unwrap();
        killed += u64::from(!child.wait().unwrap().success());
        if fs::read_to_string(&stderr).unwrap().contains("stored as") {
            stored.push(text);
        }
    }
    standin.clear_faults();
    std::thread::sleep(Duration::from_millis(50));
    let before = count(&standin);
    let held = send(&url, outbox.path(), &["--json"]).run();
    let doubtful = held.json()["outbox"]["maybe_sent"].as_u64().unwrap() as usize;
    assert!(
        count(&standin).values().all(|count| *count == 1),
        "no duplicate by itself"
    );
    send(&url, outbox.path(), &["--doubtful", "resend"])
        .run()
        .exits(0);

    let after = count(&standin);
    for text in &stored {
        assert!(after.contains_key(text), "{text} was stored and is lost");
    }
    let duplicates: usize = after.values().map(|count| count - 1).sum();
    assert!(
        duplicates <= doubtful,
        "{duplicates} duplicates, {doubtful} announced"
    );
    println!(
        "{killed} kills: {} alerts stored, {} delivered before a kill, {doubtful} doubtful, {duplicates} duplicates after --doubtful resend, 0 lost",
        stored.len(),
        before.len()
    );
    assert!(
        killed >= 10 && stored.len() >= 20 && doubtful >= 10,
        "the kills were not spread"
    );
}

fn count(standin: &Standin) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for text in texts(standin).into_iter().filter(|text| text != "unharmed") {
        *counts.entry(text).or_default() += 1;
    }
    counts
}
