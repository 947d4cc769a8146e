use super::*;
use crate::model::store::Signature;
use crate::zenml::lint::Uses;

/// `zenml 0.98.0, s3fs …` as an environment.
fn environment(packages: &str) -> Environment {
    let package = |text: &str| {
        let (text, need) = text.split_once(" needs ").unwrap_or((text, ""));
        let (name, version) = text.trim().split_once(' ').unwrap();
        let needs =
            need.split(" and ").filter(|need| !need.is_empty()).map(str::to_owned).collect();
        (name.to_owned(), Package { version: version.into(), needs })
    };
    let packages = packages.split(';').map(package).collect();
    Environment { place: "venv".into(), python: Some("3.11.7".into()), packages }
}

const OLDER: &str = "zenml 0.98.0; s3fs 2024.12.0; boto3 1.35.93; botocore 1.35.93; aiobotocore 2.17.0; aws-profile-manager 0.7.3";
const NEWER: &str = "zenml 0.98.0; s3fs 2026.9.0; boto3 1.43.117; botocore 1.43.117; aiobotocore 3.10.0; aws-profile-manager 0.7.3";

#[test]
fn verdicts() {
    let v2 = Uses { signature: Signature::V2, https: true, checksum_settings: false };
    let v4 = Uses { signature: Signature::V4, ..v2 };
    let v4_plain = Uses { checksum_settings: true, ..v4 };
    let replaced = |text: &str, from: &str, to: &str| text.replace(from, to);
    let table: &[(String, Option<Uses>, &[&str])] = &[
        (OLDER.into(), None, &[]),
        (OLDER.into(), Some(v2), &[]),
        (OLDER.into(), Some(v4), &[]),
        (OLDER.into(), Some(v4_plain), &["botocore-settings"]),
        (NEWER.into(), None, &["botocore-delete"]),
        (NEWER.into(), Some(v2), &["botocore-delete"]),
        (NEWER.into(), Some(v4), &["botocore-uploads", "botocore-delete"]),
        (NEWER.into(), Some(v4_plain), &["botocore-delete"]),
        (replaced(OLDER, "zenml 0.98.0", "zenml 0.92.0"), None, &["zenml-key-names"]),
        (
            replaced(OLDER, "zenml 0.98.0", "zenml 0.91.1"),
            None,
            &["zenml-endpoint", "zenml-key-names"],
        ),
        (
            replaced(OLDER, "zenml 0.98.0", "zenml 0.75.0"),
            None,
            &["zenml-old", "zenml-endpoint", "zenml-key-names"],
        ),
        (replaced(OLDER, "zenml 0.98.0; ", ""), None, &["zenml-missing"]),
        (replaced(OLDER, "; aws-profile-manager 0.7.3", ""), None, &["s3-integration"]),
        ("zenml 0.98.0".into(), None, &["s3-integration"]),
        (replaced(OLDER, "s3fs 2024.12.0", "s3fs 2025.3.1"), None, &["s3fs-excluded"]),
        (replaced(OLDER, "s3fs 2024.12.0", "s3fs 0.4.2"), None, &["s3fs-excluded"]),
        (
            replaced(
                OLDER,
                "aiobotocore 2.17.0",
                "aiobotocore 2.17.0 needs botocore (<1.35.90,>=1.35.74)",
            ),
            None,
            &["conflict"],
        ),
        (
            replaced(
                OLDER,
                "boto3 1.35.93",
                "boto3 1.35.93 needs botocore<1.36.0,>=1.35.93 and botocore[crt]<1; extra == 'crt'",
            ),
            None,
            &[],
        ),
    ];
    for (packages, uses, ids) in table {
        let packages = packages.replace("; extra", " ! extra");
        let mut environment = environment(&packages);
        for package in environment.packages.values_mut() {
            package.needs.iter_mut().for_each(|need| *need = need.replace(" ! extra", "; extra"));
        }
        let found: Vec<_> = judge(&environment, *uses).iter().map(|finding| finding.id).collect();
        assert_eq!(found, *ids, "{packages} {uses:?}");
    }
}

/// A program of `sh` that plays Python. It is written by another process: one that is written by
/// this one could be held open by a child that another test starts at the same moment.
fn fake(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("python");
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$2\" && chmod +x \"$2\"";
    #[expect(clippy::disallowed_methods, reason = "plays a Python")]
    let ended =
        std::process::Command::new("/bin/sh").args(["-c", write, "sh", script]).arg(&path).status();
    assert!(ended.unwrap().success());
    path
}

fn env() -> Env {
    Env::new([("PATH".to_owned(), "/usr/bin:/bin".to_owned())])
}

async fn told(script: &str) -> Result<Environment, PythonError> {
    let folder = tempfile::tempdir().unwrap();
    read(&Interpreter::At(fake(folder.path(), script)), &env()).await
}

#[tokio::test]
async fn is_asked_alone_and_heard_through_noise() {
    let answer = r#"{"python": "3.11.7", "packages": {"zenml": {"version": "0.98.0", "needs": []},
        "other": {"version": "1", "needs": []}}}"#;
    let script = format!(
        "[ \"$1 $2 $3 $5\" = '-I -B -c zenml' ] || exit 9\nprintf 'noise \\033[31m'\n\
         cat <<'X'\n\n{MARK}{}\nX\nexit 3",
        answer.replace('\n', "")
    );
    let environment = told(&script).await.unwrap();
    assert_eq!(environment.python.as_deref(), Some("3.11.7"));
    assert_eq!(environment.packages.keys().collect::<Vec<_>>(), ["zenml"]);
    assert_eq!(environment.version("zenml"), Version::parse("0.98.0"));
}

#[tokio::test]
async fn what_is_no_python_3_is_said() {
    for (script, words) in [
        ("echo 'Unknown option: -I' >&2; exit 2", "is no Python 3: it answered Unknown option: -I"),
        ("printf 'garbage \\033[2J'", "it answered garbage \\u{1b}[2J"),
        ("exit 0", "it answered nothing"),
        ("echo 'osstack-packages:{'", "is no Python 3"),
        ("echo 'osstack-packages:{\"python\": \"3.7.1\"}'", "is Python 3.7.1"),
        ("yes", "said more than"),
    ] {
        let error = told(script).await.unwrap_err().to_string();
        assert!(error.contains(words), "{script}: {error}");
        assert!(error.contains("name the"), "{error}");
    }
    let nowhere = Interpreter::parse(Path::new("/nowhere/python"));
    let error = read(&nowhere, &env()).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no /nowhere/python: name a Python, or the folder of a virtual environment"
    );
}

#[tokio::test]
async fn a_folder_tells_where_its_python_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("lib/python3.11/site-packages");
    for name in ["zenml-0.98.0", "aws_profile_manager-0.7.3", "aiobotocore-2.17.0", "other-1"] {
        std::fs::create_dir_all(site.join(format!("{name}.dist-info"))).unwrap();
    }
    let metadata =
        "Name: aiobotocore\nRequires-Dist: botocore<1.35.94,>=1.35.74\n\nRequires-Dist: no\n";
    let file = site.join("aiobotocore-2.17.0.dist-info/METADATA");
    crate::base::atomic_file::write(
        &file,
        metadata.as_bytes(),
        1,
        &crate::base::atomic_file::Options::default(),
    )
    .unwrap();
    let environment = read(&Interpreter::At(folder.path().to_owned()), &env()).await.unwrap();
    let names: Vec<_> = environment.packages.keys().map(String::as_str).collect();
    assert_eq!(names, ["aiobotocore", "aws-profile-manager", "zenml"]);
    assert_eq!(environment.packages["aiobotocore"].needs, ["botocore<1.35.94,>=1.35.74"]);
    assert_eq!(environment.python, None);
    // an empty folder is no environment
    let empty = tempfile::tempdir().unwrap();
    let error = read(&Interpreter::At(empty.path().to_owned()), &env()).await.unwrap_err();
    assert!(matches!(error, PythonError::Absent(_)), "{error}");
}

#[test]
fn the_current_one_is_that_of_the_activated_environment() {
    let folder = tempfile::tempdir().unwrap();
    let venv = folder.path().display().to_string();
    let active = Env::new([("VIRTUAL_ENV".to_owned(), venv)]);
    let (program, at) = Interpreter::parse(Path::new("auto")).find(&active);
    assert_eq!((program, at.as_deref()), (folder.path().join("bin/python"), Some(folder.path())));
    assert_eq!(Interpreter::Current.find(&env()), (PathBuf::from("python3"), None));
}
