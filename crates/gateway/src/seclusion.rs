//! Keeps what the process knows to itself.

/// Has the system write no core of this process, and on Linux let no other program of its user look into it.
///
/// Root can all the same, and a system that lacks this runs the program as it is.
pub fn seclude() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
    // Without it a core that is piped to a program, as systemd-coredump is, knows no limit; nor can the environment,
    // where secrets may be, be read in /proc.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn other_programs_are_shut_out() {
        use rustix::process::{DumpableBehavior, dumpable_behavior};
        super::seclude();
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
