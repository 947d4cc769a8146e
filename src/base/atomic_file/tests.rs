use super::*;
use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

const KEEP_TWO: Options = Options { mode: 0o600, dir_mode: 0o700, backups: 2 };

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn keeps_the_newest_backups_and_no_temporary() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("made/file");
    for content in ["one", "two", "three", "four"] {
        write(&path, content.as_bytes(), 7, &KEEP_TWO).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "four");
    let kept: Vec<_> =
        backups(&path).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(kept, ["three", "two"]);
    let found = names(path.parent().unwrap());
    assert_eq!(found, ["file", "file.bak.2", "file.bak.3"].map(str::to_owned).into());
    assert_eq!(mode_of(&path), Some(0o600));
    assert_eq!(mode_of(path.parent().unwrap()), Some(0o700));
}

#[test]
fn an_existing_file_keeps_its_mode() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    write(&path, b"1", 1, &Options { mode: 0o644, ..KEEP_TWO }).unwrap();
    write(&path, b"2", 2, &KEEP_TWO).unwrap();
    assert_eq!(mode_of(&path), Some(0o644));
}

#[test]
fn a_link_stays_and_its_target_changes() {
    let home = tempfile::tempdir().unwrap();
    let (link, target) = (home.path().join("link"), home.path().join("elsewhere/file"));
    write(&target, b"old", 1, &KEEP_TWO).unwrap();
    symlink(&target, &link).unwrap();
    write(&link, b"new", 2, &KEEP_TWO).unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read(&target).unwrap(), b"new");
    assert_eq!(backups(&link).len(), 1);
    fs::remove_file(&target).unwrap();
    let error = write(&link, b"newer", 3, &KEEP_TWO).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
    assert!(read(&link, 10).is_err(), "a dangling link is not an absent file");
}

#[test]
fn a_lock_is_one_holders_until_dropped() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    let held = lock(&path, Duration::ZERO, 0o700).unwrap();
    let error = lock(&path, Duration::ZERO, 0o700).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(error.to_string().ends_with("try again in a moment"), "{error}");
    drop(held);
    lock(&path, Duration::ZERO, 0o700).unwrap();
}

#[test]
fn reads_are_bounded() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    assert!(read(&path, 3).unwrap().is_none());
    write(&path, b"abcd", 1, &KEEP_TWO).unwrap();
    assert_eq!(read(&path, 4).unwrap().as_deref(), Some(&b"abcd"[..]));
    assert_eq!(read(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn a_new_file_replaces_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    write_new(&path, b"mine", 1, &KEEP_TWO).unwrap();
    let error = write_new(&path, b"other", 2, &KEEP_TWO).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    assert_eq!(names(home.path()).len(), 1);
}

#[test]
fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    // a folder under the target's name: the rename is refused at the last step
    let path = home.path().join("taken");
    fs::create_dir_all(path.join("inside")).unwrap();
    let none = Options { backups: 0, ..KEEP_TWO };
    assert!(write(&path, b"x", 1, &none).is_err());
    assert_eq!(names(home.path()), ["taken".to_owned()].into());
    // a file where a folder should be
    let file = home.path().join("file");
    write(&file, b"old", 1, &none).unwrap();
    let error = write(&file.join("below"), b"x", 1, &none).unwrap_err();
    assert!(error.to_string().contains("folder"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"old");
}

#[test]
fn only_old_temporaries_of_dead_processes_are_swept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    // above the kernel's highest pid
    let dead = format!(".file.{}.0000000000000001.tmp", i32::MAX);
    let young = format!(".file.{}.0000000000000002.tmp", i32::MAX);
    let alive = format!(".file.{}.0000000000000003.tmp", std::process::id());
    let foreign = ".file.backup.tmp".to_owned();
    for name in [&dead, &young, &alive, &foreign] {
        let file = File::create(home.path().join(name)).unwrap();
        if name != &young {
            let then = file.metadata().unwrap().modified().unwrap() - 2 * STALE;
            file.set_modified(then).unwrap();
        }
    }
    write(&path, b"x", 4, &KEEP_TWO).unwrap();
    assert_eq!(names(home.path()), ["file".to_owned(), young, alive, foreign].into());
}

/// Killed at any moment, a writer leaves the whole of one content or the other.
#[test]
fn a_killed_writer_tears_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    write(&path, &vec![b'0'; 50_000], 1, &KEEP_TWO).unwrap();
    for round in 0..8 {
        #[expect(clippy::disallowed_methods, reason = "the writer must be a process to be killed")]
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "base::atomic_file::tests::endless_writer", "--ignored"])
            .arg("--nocapture")
            .env("OSSTACK_TEST_WRITES_TO", &path)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // some bytes of its output: it is in the middle of its work, each round somewhere else
        let mut seen = vec![0; 200 + 3 * round];
        child.stdout.as_mut().unwrap().read_exact(&mut seen).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let content = fs::read(&path).unwrap();
        assert_eq!(content.len(), 50_000);
        assert!(content.iter().all(|byte| Some(byte) == content.first()), "torn");
    }
}

#[test]
#[ignore = "the child of a_killed_writer_tears_nothing"]
fn endless_writer() {
    #[expect(clippy::disallowed_methods, reason = "told so by its parent, a test")]
    let Ok(path) = std::env::var("OSSTACK_TEST_WRITES_TO") else { return };
    for turn in 0.. {
        let digit = b'0' + u8::try_from(turn % 10).unwrap();
        write(Path::new(&path), &vec![digit; 50_000], turn, &KEEP_TWO).unwrap();
        println!("{turn}");
    }
}
