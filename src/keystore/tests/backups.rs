//! Copies, and what they bring back.

use super::*;

#[test]
fn backup_and_restore() {
    let (home, keystore) = Home::made();
    let copy = home.folder.path().join("copy");
    assert_eq!(keystore.backup(&copy, None).unwrap(), Copied::Both);
    let error = keystore.backup(&copy, None).unwrap_err();
    assert!(matches!(error, Error::File(_)), "nothing is overwritten");
    assert!(error.to_string().ends_with("name another path"), "{error}");
    keystore.delete("one").unwrap();
    keystore.change_passphrase(&pass("new")).unwrap();
    let wrong = home.keystore().restore(&copy, &pass("new"));
    assert!(matches!(wrong, Err(Error::WrongPassphrase)));
    assert_eq!(names(&keystore), Vec::<String>::new());
    // both files of the copy, with the passphrase of that time
    home.keystore().restore(&copy, &pass(PASSPHRASE)).unwrap();
    let keystore = home.unlocked();
    assert_eq!(names(&keystore), ["one"]);
    assert_eq!(keystore.status().generation, Some(4), "never a number again");
    // one numbered backup of the secrets over a damaged file
    keystore.delete("one").unwrap();
    overwrite(&home.paths().secrets(), b"");
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    let Error::Damaged { backup: Some(backup), .. } = error else { panic!("{error}") };
    home.keystore().restore(&backup, &pass(PASSPHRASE)).unwrap();
    assert_eq!(names(&home.unlocked()), ["one"]);
}

/// Cut off between the two files, a restored keystore must still open.
#[test]
fn a_folder_from_before_a_rotation_is_restored_so_that_the_files_fit_all_the_time() {
    let (home, keystore) = Home::made();
    let copy = home.folder.path().join("copy");
    keystore.backup(&copy, None).unwrap();
    keystore.rotate(&pass(PASSPHRASE)).unwrap();
    keystore.delete("one").unwrap();
    let (rotated, _) = keystore.open_identity().unwrap();
    let used = keystore.status().generation;
    keystore.lock();
    keystore.restore(&copy, &pass(PASSPHRASE)).unwrap();
    assert!(keystore.status().generation > used, "never a number again");
    assert_eq!(names(&home.unlocked()), ["one"]);
    let (restored, _) = keystore.open_identity().unwrap();
    assert!(files::read_sealed(&home.paths().secrets(), &rotated).is_err());
    // what lay there while identity.age changed opens with both
    let between = atomic_file::backups(&home.paths().secrets()).remove(0);
    for identity in [rotated, restored] {
        assert_eq!(files::read_sealed(&between, &identity).unwrap().entries.len(), 1);
    }
}

/// What the message of `error` says to restore.
fn hinted(error: &Error) -> PathBuf {
    let said = error.to_string();
    PathBuf::from(said.split("osstack keystore restore ").nth(1).expect(&said))
}

#[test]
fn a_lost_identity_comes_back_by_the_backup_that_is_named() {
    for lose in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| overwrite(path, b"")] {
        let (home, keystore) = Home::made();
        keystore.rotate(&pass(PASSPHRASE)).unwrap();
        keystore.put(secret("two", "x"), Put::New).unwrap();
        lose(&home.paths().identity());
        let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
        let backup = hinted(&error);
        assert!(backup.ends_with("identity.age.bak.1"), "{error}");
        home.keystore().refuse_kept_elsewhere(Some(&backup)).unwrap();
        home.keystore().restore(&backup, &pass(PASSPHRASE)).unwrap();
        assert_eq!(names(&home.unlocked()), ["one"], "what that identity still opens");
        // the secrets of the lost identity stay beside it
        let (rotated, _) = keystore.open_identity().unwrap();
        assert!(keystore.secrets_of(&rotated).is_some());
    }
}

#[test]
fn a_former_passphrase_brings_the_identity_back_and_the_secrets_stay() {
    let (home, keystore) = Home::made();
    keystore.change_passphrase(&pass("new")).unwrap();
    keystore.put(secret("two", "x"), Put::New).unwrap();
    fs::remove_file(home.paths().identity()).unwrap();
    let error = home.keystore().unlock(&pass("new")).unwrap_err();
    assert!(matches!(error, Error::Missing { backup: None, .. }), "not with this one: {error}");
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    home.keystore().restore(&hinted(&error), &pass(PASSPHRASE)).unwrap();
    assert_eq!(names(&home.unlocked()), ["one", "two"]);
}

#[test]
fn a_backup_that_opens_nothing_is_not_named() {
    let (home, keystore) = Home::made();
    keystore.rotate(&pass(PASSPHRASE)).unwrap();
    for backup in atomic_file::backups(&home.paths().secrets()) {
        fs::remove_file(backup).unwrap();
    }
    fs::remove_file(home.paths().identity()).unwrap();
    let error = home.keystore().unlock(&pass(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Error::Missing { backup: None, .. }), "{error}");
}

#[test]
fn what_would_not_open_is_not_copied() {
    let (home, _) = Home::made();
    let copy = home.folder.path().join("copy");
    for path in [home.paths().secrets(), home.paths().identity()] {
        let sealed = fs::read(&path).unwrap();
        let header = sealed.windows(5).position(|bytes| bytes == b"\n--- ").unwrap();
        let other = if path == home.paths().secrets() {
            home.paths().identity()
        } else {
            home.paths().secrets()
        };
        let damages = [
            (Vec::new(), "is damaged"),
            (sealed[..header].to_vec(), "is damaged"),
            (sealed[..header + 80].to_vec(), "is damaged"),
            (b"not an age file\n".to_vec(), "is no age file"),
            (fs::read(other).unwrap(), "is sealed with"),
        ];
        for (content, words) in damages {
            overwrite(&path, &content);
            let error = home.keystore().backup(&copy, None).unwrap_err();
            assert!(matches!(&error, Error::NotCopied { path: of, .. } if of == &path), "{error}");
            assert!(error.to_string().contains(words), "{words}: {error}");
            assert!(!copy.exists());
        }
        fs::remove_file(&path).unwrap();
        let error = home.keystore().backup(&copy, None).unwrap_err();
        assert!(error.to_string().contains("is missing"), "{error}");
        assert!(!copy.exists());
        overwrite(&path, &sealed);
    }
    home.keystore().backup(&copy, None).unwrap();
}

#[test]
fn an_open_keystore_proves_what_it_copies() {
    let (home, keystore) = Home::made();
    let copy = home.folder.path().join("copy");
    let path = home.paths().secrets();
    let sealed = fs::read(&path).unwrap();
    overwrite(&path, &sealed[..sealed.len() - 1]);
    let error = keystore.backup(&copy, None).unwrap_err();
    assert!(matches!(error, Error::Damaged { backup: Some(_), .. }), "{error}");
    assert!(!copy.exists());
}

#[test]
fn half_a_backup_is_none() {
    let (home, keystore) = Home::made();
    let copy = home.folder.path().join("copy");
    fs::create_dir_all(&copy).unwrap();
    for name in ["secrets.age", "identity.age"] {
        overwrite(&copy.join(name), b"another");
        let error = keystore.backup(&copy, None).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(fs::read_dir(&copy).unwrap().count(), 1);
        fs::remove_file(copy.join(name)).unwrap();
    }
    keystore.backup(&copy, None).unwrap();
}
