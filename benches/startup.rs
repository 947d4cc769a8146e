//! From the start of the process to its first frame in a terminal, on an empty home, and the
//! memory it has taken by then. Wall time from the spawn until the last row of the frame has come,
//! least, median and most of 20 runs; peak resident memory as Linux counts it (`VmHWM`). The bar
//! is 20 ms and 20 MiB: it opens as fast as a key repeats.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, which stops where something is not as it should be"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const RUNS: usize = 20;
const BAR: Duration = Duration::from_millis(20);
const MEMORY_BAR: u64 = 20 * 1024;

/// The footer, which is drawn last; and what the catalog, read in the background, lets be shown.
const LAST_ROW: &str = "commands";
const LOADED: &str = "A stack takes three steps";

struct Run {
    first: Duration,
    full: Duration,
    /// In KiB; none where the system does not tell.
    memory: Option<u64>,
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    // the first one brings the program into memory
    run(home);
    let runs: Vec<Run> = (0..if quick { 3 } else { RUNS }).map(|_| run(home)).collect();
    report("first frame", runs.iter().map(|run| run.first));
    let median = report("all of it", runs.iter().map(|run| run.full));
    println!("the bar for the median is {BAR:?}");
    let memory = runs.iter().filter_map(|run| run.memory).max();
    if let Some(memory) = memory {
        println!("memory      {memory} KiB at most; the bar is {MEMORY_BAR} KiB");
    }
    let is_over = median > BAR || memory.is_some_and(|memory| memory > MEMORY_BAR);
    if is_over {
        println!("over the bar");
        // a quick run is on a machine that is busy with other things: it tells and does not judge
        if !quick && !cfg!(debug_assertions) {
            std::process::exit(1);
        }
    }
}

fn run(home: &str) -> Run {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
    command.env_clear();
    for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("OSSTACK_HOME", home)] {
        command.env(name, value);
    }
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut screen = vt100::Parser::new(24, 80, 0);
    let mut buffer = [0; 8192];
    let mut read_until = |text: &str| {
        while !screen.screen().contents().contains(text) {
            let count = reader.read(&mut buffer).unwrap();
            assert!(count > 0, "it ended: {}", screen.screen().contents());
            screen.process(&buffer[..count]);
        }
    };
    let start = Instant::now();
    let mut child = pty.slave.spawn_command(command).unwrap();
    read_until(LAST_ROW);
    let first = start.elapsed();
    read_until(LOADED);
    let full = start.elapsed();
    let memory = child.process_id().and_then(peak_memory);
    pty.master.take_writer().unwrap().write_all(b"q").unwrap();
    child.wait().unwrap();
    Run { first, full, memory }
}

/// The most the process ever had in memory, in KiB (proc(5): `VmHWM`).
fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Prints least, median and most, and answers the median.
fn report(name: &str, times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!("{name:11} min {:?}  median {median:?}  max {:?}", times[0], times[times.len() - 1]);
    median
}
