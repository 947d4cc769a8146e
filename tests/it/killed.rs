//! The program is killed at random moments of a transfer and started again with the same words:
//! no byte is lost, no half file appears, and what had arrived is used.

use std::path::Path;
use std::process::Child;

use osstack::ports::entropy::{Entropy as _, SeededEntropy};
use serde_json::Value;

use crate::cli::bench::Bench;
use crate::hostile::noise;

/// Three parts.
const SIZE: usize = (20 << 20) + 4321;

#[test]
fn a_killed_download_goes_on() {
    downloads(1, 8);
}

#[test]
fn a_killed_upload_goes_on() {
    uploads(2, 8);
}

#[test]
#[ignore = "it takes minutes: .ci/run"]
fn a_hundred_killed_downloads_go_on() {
    downloads(3, 100);
}

#[test]
#[ignore = "it takes minutes: .ci/run"]
fn a_hundred_killed_uploads_go_on() {
    uploads(4, 100);
}

fn downloads(seed: u64, times: usize) {
    let bench = Bench::furnished();
    let bytes = noise(seed, SIZE);
    bench.put("big", &bytes);
    bench.run(&["cp", "big", "scratch_store:big"]).ok();
    let moments = SeededEntropy::new(seed);
    for time in 0..times {
        let folder = format!("down/{time}");
        let words = ["cp", "scratch_store:big", &format!("{folder}/"), "--json"];
        // what is read from the socket and written to the file, both
        kill_after(bench.spawn(&words), moments.next_u64() % (SIZE as u64 * 2));
        let name = bench.path(&folder).join("big");
        assert!(!name.exists() || std::fs::read(&name).unwrap() == bytes, "half a file");
        again(&bench, &words, "download");
        assert!(std::fs::read(&name).unwrap() == bytes, "{time}");
        assert_eq!(std::fs::read_dir(bench.path(&folder)).unwrap().count(), 1, "{time}");
        assert_eq!(records(&bench), 0, "{time}");
    }
}

fn uploads(seed: u64, times: usize) {
    let bench = Bench::furnished();
    let bytes = noise(seed, SIZE);
    bench.put("big", &bytes);
    let moments = SeededEntropy::new(seed);
    let mut reused = 0;
    for time in 0..times {
        let key = format!("scratch_store:{time}");
        let words = ["cp", "big", &key, "--json"];
        kill_after(bench.spawn(&words), moments.next_u64() % (SIZE as u64 * 2));
        reused += again(&bench, &words, "upload");
        let there = bench.run(&["cat", &key]).ok().bytes;
        assert!(there == bytes, "{time}");
        assert_eq!(records(&bench), 0, "{time}");
    }
    assert!(reused > 0, "parts that had arrived are used");
}

/// Runs it to its end; answers how much was there already. Where the first run had come to its
/// end, the name may be taken.
fn again(bench: &Bench, words: &[&str], what: &str) -> u64 {
    let ran = bench.run(words);
    let line = |kind: &str| {
        let is_so = |line: &Value| line["type"] == kind;
        ran.lines().into_iter().find(is_so)
    };
    match (ran.code, line("copied"), line("skipped")) {
        (0, Some(copied), None) => {
            assert_eq!(copied["proof"], "crc64", "{what}: {copied}");
            copied["reused"].as_u64().unwrap()
        }
        (4, None, Some(skipped)) => {
            let reason = skipped["reason"].as_str().unwrap();
            assert!(reason.contains("is there already"), "{what}: {reason}");
            0
        }
        _ => panic!("{what}: {ran:?}"),
    }
}

#[test]
fn what_was_killed_is_listed_and_dropped() {
    let bench = Bench::furnished();
    bench.put("big", &noise(5, SIZE));
    let none = bench.run(&["transfers"]).ok();
    assert_eq!(none.out, "no transfer was stopped before its end\n");
    kill_after(bench.spawn(&["cp", "big", "scratch_store:big", "--json"]), SIZE as u64);
    let listed = bench.run(&["transfers"]).ok();
    assert!(listed.out.contains("scratch_store:big") && listed.out.contains("MiB"), "{listed:?}");
    assert_eq!(bench.run(&["uploads", "scratch_store:", "--json"]).ok().lines()[0]["key"], "big");
    assert_eq!(bench.run(&["transfers", "--drop"]).code, 2, "nobody is there to confirm it");
    let dropped = bench.run(&["transfers", "--drop", "--yes", "--json"]).ok();
    assert_eq!(dropped.lines().last().unwrap()["dropped"], 1, "{dropped:?}");
    assert_eq!(records(&bench), 0);
    let uploads = bench.run(&["uploads", "scratch_store:", "--json"]).ok();
    assert_eq!(uploads.lines()[0]["uploads"], 0, "{uploads:?}");
}

/// Kills `child` once it has read and written so many bytes.
fn kill_after(mut child: Child, bytes: u64) {
    let counts = format!("/proc/{}/io", child.id());
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&counts).unwrap_or_default();
        let count = |name: &str| -> u64 {
            text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0)
        };
        if count("rchar:") + count("wchar:") >= bytes {
            break;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn records(bench: &Bench) -> usize {
    let folder: &Path = &bench.path("state/transfers");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}
