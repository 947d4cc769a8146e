//! Files that are damaged, foreign, too open or in the way.

use super::*;

#[test]
fn every_flipped_bit_is_refused() {
    let (home, keystore) = Home::made();
    let good = keystore.open_identity().unwrap().0;
    let path = home.paths().secrets();
    let sealed = fs::read(&path).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut broken = sealed.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        let opened = good.open(&broken).map(|plain| plain.len());
        assert!(opened.is_err(), "bit {bit}");
    }
    let sealed = fs::read(home.paths().identity()).unwrap();
    let passphrase = sealed_file::passphrase(&pass(PASSPHRASE), "test").unwrap();
    let good = sealed_file::passphrase_identity(passphrase);
    assert!(sealed_file::open(&sealed, &good).is_ok());
    for bit in 0..sealed.len() * 8 {
        let mut broken = sealed.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        let opened = sealed_file::open(&broken, &good).map(|plain| plain.len());
        assert!(opened.is_err(), "bit {bit}");
    }
}

#[test]
fn a_truncated_file_is_damaged_and_the_good_backup_named() {
    let (home, _) = Home::made();
    for (path, step) in [(home.paths().secrets(), 11), (home.paths().identity(), 29)] {
        let sealed = fs::read(&path).unwrap();
        for length in (0..sealed.len()).step_by(step) {
            overwrite(&path, &sealed[..length]);
            let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
            let Error::Damaged { path: damaged, backup } = &error else {
                panic!("{length}: {error}");
            };
            assert_eq!(damaged, &path);
            let has_backup = path == home.paths().secrets();
            assert_eq!(backup.is_some(), has_backup, "{length}");
            assert!(error.to_string().contains("osstack keystore restore"), "{error}");
        }
        overwrite(&path, &sealed);
    }
    home.unlocked();
}

#[test]
fn an_altered_header_is_told_from_another_identity() {
    let (home, keystore) = Home::made();
    let path = home.paths().secrets();
    let sealed = fs::read(&path).unwrap();
    let mut broken = sealed.clone();
    // inside the recipient's line
    broken[40] ^= 1;
    overwrite(&path, &broken);
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::Damaged { backup: Some(_), .. }), "{error}");
    overwrite(&path, &sealed);
    let error = keystore.unlock_with_identity(Identity::generate()).unwrap_err();
    assert!(matches!(error, Error::WrongIdentity(_)), "{error}");
}

#[test]
fn other_things_in_its_place_have_their_own_message() {
    let (home, _) = Home::made();
    let unlock = || home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    for path in [home.paths().secrets(), home.paths().identity()] {
        let sealed = fs::read(&path).unwrap();
        overwrite(&path, b"schema = 1\n");
        assert!(matches!(unlock(), Error::NotAKeystore(_)));
        overwrite(&path, &[&b"age-encryption.org/v2"[..], &sealed[21..]].concat());
        let error = unlock();
        assert!(matches!(&error, Error::Newer { found, .. } if found == "v2"), "{error}");
        overwrite(&path, &vec![b'x'; (16 << 20) + 1]);
        assert!(matches!(unlock(), Error::TooLarge(_)));
        overwrite(&path, &sealed);
    }
    // a later document inside a good seal
    let identity = home.unlocked().open_identity().unwrap().0;
    for (text, newer) in [(r#"{"schema":2}"#, true), ("hello", false)] {
        let sealed = age::encrypt(&identity.to_public(), text.as_bytes()).unwrap();
        overwrite(&home.paths().secrets(), &sealed);
        let error = unlock();
        assert_eq!(matches!(error, Error::Newer { .. }), newer, "{error}");
        assert_eq!(matches!(error, Error::NotAKeystore(_)), !newer, "{error}");
    }
}

#[test]
fn excessive_work_is_refused_before_it_is_done() {
    let (home, _) = Home::made();
    let path = home.paths().identity();
    let sealed = fs::read(&path).unwrap();
    let text = sealed.windows(3).position(|bytes| bytes == b" 2\n").unwrap();
    let asked = [&sealed[..text], b" 30\n", &sealed[text + 3..]].concat();
    overwrite(&path, &asked);
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::ExcessiveWork { factor: 30, .. }), "{error}");
}

#[test]
fn wide_modes_are_refused_until_tightened() {
    let (home, keystore) = Home::made();
    let loosen = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    loosen(&home.paths().secrets(), 0o644).unwrap();
    loosen(&home.paths().data, 0o755).unwrap();
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::Permission { mode: 0o755, wanted: 0o700, .. }), "{error}");
    assert!(error.to_string().contains("chmod 700"), "{error}");
    assert!(keystore.delete("one").is_err());
    assert_eq!(keystore.status().loose.len(), 2);
    assert_eq!(keystore.tighten_permissions().unwrap().len(), 2);
    home.unlocked().delete("one").unwrap();
}

#[test]
fn a_link_is_kept_and_a_dangling_one_refused() {
    let (home, keystore) = Home::made();
    let path = home.paths().secrets();
    let target = home.file("elsewhere/secrets", &fs::read(&path).unwrap());
    fs::remove_file(&path).unwrap();
    symlink(&target, &path).unwrap();
    keystore.put(secret("two", "x"), Put::New).unwrap();
    assert!(path.is_symlink());
    assert_eq!(names(&home.unlocked()), ["one", "two"]);
    fs::remove_file(&target).unwrap();
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::File(_)), "{error}");
}

#[test]
fn a_folder_that_takes_no_writes_keeps_the_old_content_open() {
    let (home, keystore) = Home::made();
    // a folder under the lock's name: refused to every user, root included
    let lock = home.paths().data.join("secrets.age.lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let before = home.files();
    let error = keystore.put(secret("two", "x"), Put::New).unwrap_err();
    assert!(matches!(error, Error::File(_)), "{error}");
    assert_eq!(home.files(), before);
    assert_eq!(names(&keystore), ["one"]);
    assert_eq!(names(&home.unlocked()), ["one"]);
}

#[test]
fn a_lost_file_is_missing_and_a_cut_off_creation_goes_on() {
    let (home, _) = Home::made();
    let paths = home.paths();
    let moved = home.folder.path().join("moved");
    let rename = |from: &Path, to: &Path| {
        fs::hard_link(from, to).unwrap();
        fs::remove_file(from).unwrap();
    };
    rename(&paths.secrets(), &moved);
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::Missing { backup: Some(_), .. }), "{error}");
    // no backup either: only identity.age was ever made
    home.keystore().purge_backups().unwrap();
    let keystore = home.unlocked();
    assert_eq!(names(&keystore), Vec::<String>::new());
    keystore.put(secret("first", "x"), Put::New).unwrap();
    assert_eq!(names(&home.unlocked()), ["first"]);
    fs::remove_file(paths.identity()).unwrap();
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::Missing { backup: None, .. }), "{error}");
}
