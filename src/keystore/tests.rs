mod backups;
mod damage;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use time::macros::datetime;

use super::keyring::KeyringError;
use super::*;
use crate::model::secret::SecretDraft;
use crate::ports::clock::FixedClock;
use crate::ports::entropy::SystemEntropy;
use crate::ports::env::Env;

const CANARY: &str = "canary-Zm9vYmFyYmF6";
const PASSPHRASE: &str = "correct horse";

/// A keyring in memory; its refusal can be set.
#[derive(Debug, Default)]
struct TestKeyring {
    values: Mutex<BTreeMap<String, String>>,
    refuses: Mutex<Option<KeyringError>>,
    refuses_writes: Mutex<Option<KeyringError>>,
    asked: AtomicU64,
}

impl TestKeyring {
    fn answer<T>(&self, value: T) -> Result<T, KeyringError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.refuses.lock().unwrap().clone().map_or(Ok(value), Err)
    }
}

impl Keyring for TestKeyring {
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        let value = self.values.lock().unwrap().get(account).cloned();
        self.answer(value.map(SecretString::new))
    }

    fn set(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        self.answer(())?;
        self.refuses_writes.lock().unwrap().clone().map_or(Ok(()), Err)?;
        self.values.lock().unwrap().insert(account.to_owned(), value.expose().to_owned());
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), KeyringError> {
        self.answer(())?;
        self.values.lock().unwrap().remove(account);
        Ok(())
    }
}

struct Home {
    folder: tempfile::TempDir,
    keyring: Arc<TestKeyring>,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), keyring: Arc::default() }
    }

    /// With a keystore that holds the secret `one`.
    fn made() -> (Self, Keystore) {
        let home = Self::new();
        let keystore = home.keystore();
        keystore.create(&pass(PASSPHRASE), Remember::No).unwrap();
        keystore.put(secret("one", CANARY), Put::New).unwrap();
        (home, keystore)
    }

    fn paths(&self) -> Paths {
        Paths::below(self.folder.path())
    }

    /// As another process would see it.
    fn keystore(&self) -> Keystore {
        self.waiting(Duration::from_mins(1))
    }

    fn waiting(&self, lock_wait: Duration) -> Keystore {
        Keystore::new(
            &self.paths(),
            Arc::new(FixedClock(datetime!(2026-11-22 12:00 UTC))),
            Arc::new(SystemEntropy),
            self.keyring.clone(),
            Settings { work_factor: 2, lock_wait },
        )
    }

    fn unlocked(&self) -> Keystore {
        let keystore = self.keystore();
        keystore.unlock(&pass(PASSPHRASE)).unwrap();
        keystore
    }

    /// Every file with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        let options = atomic_file::Options::default();
        atomic_file::write(&path, content, 1, &options).unwrap();
        path
    }
}

fn overwrite(path: &Path, content: &[u8]) {
    // in place, as a disk fault would: the inode stays
    use std::io::Write;
    fs::File::create(path).unwrap().write_all(content).unwrap();
}

fn pass(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

fn secret(name: &str, value: &str) -> Secret {
    SecretDraft {
        name: name.into(),
        access_key_id: "LTAI5tExampleExample0001".into(),
        secret_access_key: pass(value),
        session_token: pass(""),
        expires_at: String::new(),
        key_names: KeyNames::Oss,
    }
    .validate()
    .unwrap()
}

fn names(keystore: &Keystore) -> Vec<String> {
    keystore.list().unwrap().iter().map(|summary| summary.name.to_string()).collect()
}

fn env(variables: &[(&str, &str)]) -> Env {
    Env::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn a_secret_comes_back_whole_after_a_restart() {
    let (home, keystore) = Home::made();
    keystore.lock();
    assert!(matches!(keystore.get("one"), Err(Error::Locked)));
    assert_eq!(keystore.status().state, State::Locked);
    let again = home.unlocked();
    assert_eq!(again.get("one").unwrap(), secret("one", CANARY));
    let summary = again.list().unwrap().remove(0);
    assert_eq!(summary.short_id, "LTAI…0001");
    assert_eq!(summary.created, datetime!(2026-11-22 12:00 UTC));
    assert!(!summary.has_token);
    let status = again.status();
    assert_eq!((status.state, status.generation, status.count), (State::Open, Some(2), Some(1)));
    assert_eq!(status.backups.len(), 1);
    assert!(matches!(again.get("two"), Err(Error::NoSuchSecret(_))));
}

/// The promise of the format: the `age` crate alone opens both files.
#[test]
fn the_files_are_plain_age_files() {
    let (home, keystore) = Home::made();
    let identity_file = fs::read(home.paths().identity()).unwrap();
    let passphrase = age::scrypt::Identity::new(PASSPHRASE.to_owned().into());
    let identity = age::decrypt(&passphrase, &identity_file).unwrap();
    let identity = String::from_utf8(identity).unwrap();
    let identity: age::x25519::Identity = identity.trim().parse().unwrap();
    let json = age::decrypt(&identity, &fs::read(home.paths().secrets()).unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "schema": 1,
            "generation": 2,
            "secrets": { "one": {
                "access_key_id": "LTAI5tExampleExample0001",
                "secret_access_key": CANARY,
                "key_names": "oss",
                "created": "2026-11-22T12:00:00Z",
                "updated": "2026-11-22T12:00:00Z",
            } },
        })
    );
    let export = home.folder.path().join("export.age");
    keystore.export(&export, &pass("other")).unwrap();
    let other = age::scrypt::Identity::new("other".to_owned().into());
    let exported = age::decrypt(&other, &fs::read(export).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&exported).unwrap(), json);
}

#[test]
fn the_default_cost_is_in_the_header() {
    let sealed = Identity::generate().seal(&pass("x"), Settings::default().work_factor).unwrap();
    let header = String::from_utf8_lossy(&sealed).into_owned();
    assert!(header.lines().nth(1).unwrap().ends_with(" 17"), "{header}");
}

#[test]
fn no_file_ever_holds_a_value_or_a_name() {
    let (home, keystore) = Home::made();
    keystore.put(secret("two", CANARY), Put::New).unwrap();
    keystore.put(secret("one", &format!("{CANARY}2")), Put::Update).unwrap();
    keystore.rename("two", &Name::parse("canary-name").unwrap()).unwrap();
    keystore.delete("one").unwrap();
    keystore.change_passphrase(&pass(&format!("{CANARY}3"))).unwrap();
    keystore.rotate(&pass(&format!("{CANARY}3"))).unwrap();
    keystore.backup(&home.folder.path().join("copy"), None).unwrap();
    keystore.export(&home.folder.path().join("export"), &pass(CANARY)).unwrap();
    let files = home.files();
    assert!(files.len() > 8, "{:?}", files.keys());
    for (path, content) in files {
        let text = String::from_utf8_lossy(&content).into_owned();
        assert!(!text.contains("canary"), "{}", path.display());
        assert!(!text.contains("LTAI5t"), "{}", path.display());
        assert!(!text.contains("AGE-SECRET-KEY"), "{}", path.display());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
    let debug = format!("{keystore:?}");
    assert!(!debug.contains(CANARY) && !debug.contains("AGE-SECRET"), "{debug}");
}

#[test]
fn new_and_update_say_what_they_expect() {
    let (_home, keystore) = Home::made();
    let put = |name, put| keystore.put(secret(name, "x"), put);
    assert!(matches!(put("one", Put::New), Err(Error::NameTaken(_))));
    assert!(matches!(put("two", Put::Update), Err(Error::NoSuchSecret(_))));
    assert_eq!(keystore.get("one").unwrap(), secret("one", CANARY));
    put("two", Put::New).unwrap();
    let taken = keystore.rename("one", &Name::parse("two").unwrap());
    assert!(matches!(taken, Err(Error::NameTaken(_))));
    assert!(matches!(keystore.delete("three"), Err(Error::NoSuchSecret(_))));
    assert_eq!(names(&keystore), ["one", "two"]);
}

#[test]
fn passphrases_have_rules() {
    let home = Home::new();
    let keystore = home.keystore();
    let create = |text: &str| keystore.create(&pass(text), Remember::No);
    assert!(matches!(create(""), Err(Error::Empty(_))));
    assert!(matches!(create(&"x".repeat(1025)), Err(Error::LongPassphrase(_))));
    assert_eq!(keystore.status().state, State::Absent);
    assert!(matches!(keystore.unlock(&pass("x")), Err(Error::Absent)));
    create("Andre\u{301}").unwrap();
    assert!(matches!(create("x"), Err(Error::Exists(_))));
    let again = home.keystore();
    assert!(matches!(again.unlock(&pass("Andre")), Err(Error::WrongPassphrase)));
    assert!(matches!(again.unlock(&pass("")), Err(Error::Empty(_))));
    again.unlock(&pass("Andr\u{e9}")).unwrap();
}

#[test]
fn a_changed_passphrase_replaces_the_old() {
    let (home, keystore) = Home::made();
    keystore.change_passphrase(&pass("new")).unwrap();
    let again = home.keystore();
    assert!(matches!(again.unlock(&pass(PASSPHRASE)), Err(Error::WrongPassphrase)));
    again.unlock(&pass("new")).unwrap();
    assert_eq!(names(&again), ["one"]);
    // the first one, which knows the same identity, goes on
    keystore.put(secret("two", "x"), Put::New).unwrap();
    assert_eq!(names(&again), ["one", "two"]);
    assert_eq!(keystore.purge_backups().unwrap(), 3);
    assert!(keystore.status().backups.is_empty());
}

#[test]
fn rotation_shuts_the_old_identity_out() {
    let (home, keystore) = Home::made();
    let other = home.unlocked();
    let old = home.unlocked().open_identity().unwrap().0;
    assert!(matches!(keystore.rotate(&pass("wrong")), Err(Error::WrongPassphrase)));
    keystore.rotate(&pass(PASSPHRASE)).unwrap();
    assert_eq!(names(&keystore), ["one"]);
    assert!(matches!(other.put(secret("two", "x"), Put::New), Err(Error::Rotated)));
    assert!(matches!(other.list(), Err(Error::Rotated)));
    assert!(home.keystore().unlock_with_identity(old).is_err());
    assert_eq!(names(&home.unlocked()), ["one"]);
}

#[test]
fn a_rotation_that_the_keyring_does_not_hear_of_is_done_all_the_same() {
    let (home, keystore) = Home::made();
    keystore.remember_in_keyring().unwrap();
    *home.keyring.refuses_writes.lock().unwrap() = Some(KeyringError::Dismissed);
    let error = keystore.rotate(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::KeyringBehind(KeyringError::Dismissed)), "{error}");
    keystore.put(secret("two", "x"), Put::New).unwrap();
    assert_eq!(names(&home.unlocked()), ["one", "two"]);
    let stale = home.keystore().unlock_from_env(&Env::default()).unwrap_err();
    assert!(matches!(stale, Error::NotGiven { keyring: Some(KeyringError::Stale) }), "{stale}");
}

#[test]
fn many_writers_lose_nothing() {
    let (home, _) = Home::made();
    std::thread::scope(|threads| {
        for writer in 0..6 {
            let keystore = home.unlocked();
            threads.spawn(move || {
                for turn in 0..10 {
                    let name = format!("s{writer}-{turn}");
                    keystore.put(secret(&name, "x"), Put::New).unwrap();
                }
            });
        }
    });
    let keystore = home.unlocked();
    assert_eq!(keystore.list().unwrap().len(), 61);
    assert_eq!(keystore.status().generation, Some(62));
}

#[test]
fn a_busy_keystore_says_so_and_shows_others_changes() {
    let (home, keystore) = Home::made();
    let hasty = home.waiting(Duration::ZERO);
    hasty.unlock(&pass(PASSPHRASE)).unwrap();
    let held = keystore.lock_files().unwrap();
    assert!(matches!(hasty.delete("one"), Err(Error::Busy)));
    drop(held);
    keystore.delete("one").unwrap();
    assert_eq!(names(&hasty), Vec::<String>::new());
}

#[test]
fn a_session_leaves_nothing_on_disk() {
    let home = Home::new();
    let keystore = home.keystore();
    keystore.create_for_session().unwrap();
    keystore.put(secret("one", CANARY), Put::New).unwrap();
    assert_eq!(keystore.get("one").unwrap(), secret("one", CANARY));
    assert_eq!(keystore.status().state, State::Session);
    assert!(matches!(keystore.change_passphrase(&pass("x")), Err(Error::SessionOnly)));
    assert!(matches!(keystore.remember_in_keyring(), Err(Error::SessionOnly)));
    // an idle lock, or ctrl-z, may not lose the only copy
    keystore.lock();
    assert_eq!(keystore.state(), State::Session);
    assert_eq!(names(&keystore), ["one"]);
    assert!(home.files().is_empty());
    assert_eq!(home.keystore().status().state, State::Absent);
}

#[test]
fn the_state_follows_and_waits_for_nobody() {
    let home = Home::new();
    let keystore = home.keystore();
    assert_eq!(keystore.state(), State::Absent);
    keystore.create(&pass(PASSPHRASE), Remember::No).unwrap();
    let held = keystore.opened();
    assert_eq!(keystore.state(), State::Open, "while another thread reads the files");
    drop(held);
    keystore.lock();
    assert_eq!(keystore.state(), State::Locked);
    assert_eq!(home.keystore().state(), State::Locked, "a keystore of an earlier run");
    keystore.unlock(&pass(PASSPHRASE)).unwrap();
    assert_eq!(keystore.state(), State::Open);
}

#[test]
fn the_demo_opens_by_itself() {
    let home = Home::new();
    let identity = Identity::generate();
    let file = home.folder.path().join("identity.txt");
    identity.write_unsealed(&file, 1).unwrap();
    let keystore = home.keystore();
    keystore.create_with_identity(identity).unwrap();
    keystore.put(secret("one", CANARY), Put::New).unwrap();
    let again = home.keystore();
    let env = env(&[("OSSTACK_IDENTITY_FILE", file.to_str().unwrap())]);
    assert_eq!(again.unlock_from_env(&env).unwrap(), KeySource::IdentityFile);
    assert_eq!(names(&again), ["one"]);
    // no passphrase opens it: what needs one says so
    let copy = home.folder.path().join("copy");
    assert_eq!(again.backup(&copy, Some(KeySource::IdentityFile)).unwrap(), Copied::SecretsAlone);
    let backup = atomic_file::backups(&home.paths().secrets()).remove(0);
    for refused in [
        again.rotate(&pass("x")),
        again.restore(&copy, &pass("x")),
        again.restore(&backup, &pass("x")),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::KeptElsewhere(_)), "{error}");
    }
    assert_eq!(names(&again), ["one"]);
    for path in [&copy, &backup] {
        again.delete("one").unwrap_or_default();
        let identity = again.open_identity().unwrap().0;
        home.keystore().restore_with_identity(path, identity).unwrap();
    }
    assert_eq!(names(&again), Vec::<String>::new(), "the backup is from before the first secret");
    assert_eq!(again.status().generation, Some(6), "never a number again");
}

#[test]
fn keys_come_from_the_first_source_that_is_set() {
    let (home, keystore) = Home::made();
    let identity = home.folder.path().join("identity.txt");
    keystore.open_identity().unwrap().0.write_unsealed(&identity, 1).unwrap();
    let identity = identity.to_str().unwrap().to_owned();
    let good = home.file("good", format!("{PASSPHRASE}\r\n").as_bytes());
    let good = good.to_str().unwrap();
    let wrong = home.file("wrong", b"wrong\n");
    let empty = home.file("empty", b"\n");
    let open_file = fs::File::open(good).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&open_file).to_string();
    let unlock = |variables: &[(&str, &str)]| home.keystore().unlock_from_env(&env(variables));

    let all = [
        ("OSSTACK_IDENTITY_FILE", identity.as_str()),
        ("OSSTACK_PASSPHRASE_FD", number.as_str()),
        ("OSSTACK_PASSPHRASE_FILE", good),
    ];
    assert_eq!(unlock(&all).unwrap(), KeySource::IdentityFile);
    assert_eq!(unlock(&all[1..]).unwrap(), KeySource::PassphraseFd);
    assert_eq!(unlock(&all[2..]).unwrap(), KeySource::PassphraseFile);
    assert_eq!(home.keyring.asked.load(Ordering::Relaxed), 0, "an explicit source is enough");

    let error = unlock(&[]).unwrap_err();
    assert!(matches!(error, Error::NotGiven { keyring: None }), "{error}");
    for way in ["OSSTACK_PASSPHRASE_FILE", "OSSTACK_PASSPHRASE_FD", "OSSTACK_IDENTITY_FILE"] {
        assert!(error.to_string().contains(way), "{error}");
    }
    let error = unlock(&[("OSSTACK_PASSPHRASE_FILE", wrong.to_str().unwrap())]).unwrap_err();
    assert!(matches!(error, Error::WrongPassphrase), "{error}");
    let error = unlock(&[("OSSTACK_PASSPHRASE_FILE", empty.to_str().unwrap())]).unwrap_err();
    assert!(matches!(error, Error::Empty(_)), "{error}");
    for (name, value) in [
        ("OSSTACK_PASSPHRASE_FILE", ""),
        ("OSSTACK_PASSPHRASE_FILE", "/no/such/file"),
        ("OSSTACK_PASSPHRASE_FD", "three"),
        ("OSSTACK_PASSPHRASE_FD", "999"),
        ("OSSTACK_IDENTITY_FILE", good),
    ] {
        let error = unlock(&[(name, value)]).unwrap_err();
        assert!(matches!(error, Error::Source { .. }), "{name}={value}: {error}");
        assert!(!error.to_string().contains(PASSPHRASE), "{error}");
    }
}

#[test]
fn the_keyring_remembers_and_its_failures_are_named() {
    let (home, keystore) = Home::made();
    keystore.remember_in_keyring().unwrap();
    assert_eq!(keystore.is_remembered(), Ok(true));
    let unlock = || home.keystore().unlock_from_env(&Env::default());
    assert_eq!(unlock().unwrap(), KeySource::Keyring);
    keystore.rotate(&pass(PASSPHRASE)).unwrap();
    assert_eq!(unlock().unwrap(), KeySource::Keyring, "it was told the new one");
    let account = home.keyring.values.lock().unwrap().keys().next().unwrap().clone();
    let other = Identity::generate().to_text();
    home.keyring.set(&account, &other).unwrap();
    let stale = unlock().unwrap_err();
    assert!(matches!(stale, Error::NotGiven { keyring: Some(KeyringError::Stale) }), "{stale}");
    keystore.forget().unwrap();
    assert!(matches!(unlock(), Err(Error::NotGiven { keyring: None })));
    for failure in [KeyringError::Slow, KeyringError::Locked, KeyringError::Dismissed] {
        *home.keyring.refuses.lock().unwrap() = Some(failure.clone());
        let error = unlock().unwrap_err();
        assert!(error.to_string().contains(&failure.to_string()), "{error}");
        let fresh = Home { folder: tempfile::tempdir().unwrap(), keyring: home.keyring.clone() };
        let made = fresh.keystore().create(&pass("x"), Remember::InKeyring);
        assert!(matches!(made, Err(Error::Keyring(_))));
        assert_eq!(fresh.keystore().status().state, State::Absent, "nothing half done");
    }
}

/// A keyring that looks whether the files of a keystore are free while it is told something.
#[derive(Debug)]
struct LookingKeyring(PathBuf, TestKeyring);

impl Keyring for LookingKeyring {
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        self.1.get(account)
    }

    fn set(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        let free = atomic_file::lock(&self.0, Duration::ZERO, 0o700);
        free.map_err(|error| KeyringError::Other(error.to_string()))?;
        self.1.set(account, value)
    }

    fn delete(&self, account: &str) -> Result<(), KeyringError> {
        self.1.delete(account)
    }
}

#[test]
fn nobody_waits_for_the_keyring_of_another() {
    let home = Home::new();
    let keyring = LookingKeyring(home.paths().secrets(), TestKeyring::default());
    let keystore = Keystore { keyring: Arc::new(keyring), ..home.keystore() };
    keystore.create(&pass(PASSPHRASE), Remember::InKeyring).unwrap();
    assert_eq!(keystore.is_remembered(), Ok(true));
}

#[test]
fn a_keystore_that_could_not_be_made_is_not_remembered() {
    let home = Home::new();
    // a folder under the lock's name: refused to every user, root included
    fs::create_dir_all(home.paths().data.join("secrets.age.lock")).unwrap();
    fs::set_permissions(home.paths().data, fs::Permissions::from_mode(0o700)).unwrap();
    let keystore = home.keystore();
    assert!(keystore.create(&pass(PASSPHRASE), Remember::InKeyring).is_err());
    assert_eq!(keystore.is_remembered(), Ok(false));
}
