//! Files as ZenML 0.98 writes them, and as disks, editors and strangers leave them.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::base::atomic_file;

/// Written by 0.98 itself.
const CONFIG: &str = "active_project_id: f8cf76bc-0dff-4dca-b6d3-8f1c4627b66b
active_stack_id: 07ac75a0-ccb7-45f2-bb0c-c819b577eff7
analytics_opt_in: true
store:
  connection_pool_size: 10
  http_timeout: 30
  type: rest
  url: https://zenml.example.com
  verify_ssl: true
user_id: c12fb32d-48ff-4a1f-9660-7190b16829b4
version: 0.98.0
";
const TOKEN: &str = "https://zenml.example.com:
  api_token:
    access_token: eyJ.canary.token
    expires_at: '2026-11-27T20:00:00Z'
    expires_in: 18000
    leeway: 60
  server_name: prod
  url: https://zenml.example.com
";

struct Home(tempfile::TempDir);

impl Home {
    fn with(files: &[(&str, &str)]) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            home.write(name, text.as_bytes());
        }
        home
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let options = atomic_file::Options::default();
        atomic_file::write(&self.path().join(name), bytes, 1, &options).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, variables: &[(&str, &str)]) -> Read {
        let home = [("ZENML_CONFIG_PATH", self.path().to_str().unwrap())];
        let all = home.iter().chain(variables);
        read(&Env::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))))
    }

    /// URL and kind of the sign-in; `sql` for a database.
    fn at(&self, variables: &[(&str, &str)]) -> (String, String) {
        match self.read(variables).login.map(|login| login.at) {
            None => ("nothing".into(), String::new()),
            Some(At::Database) => ("sql".into(), String::new()),
            Some(At::Server { url, sign_in }) => {
                (url.to_string(), sign_in.map_or_else(String::new, |it| shown(&it)))
            }
        }
    }
}

fn shown(sign_in: &SignIn) -> String {
    match sign_in {
        SignIn::ApiKey(key) => format!("key {}", key.expose()),
        SignIn::Password { user, password } => format!("{user} with '{}'", password.expose()),
        SignIn::Token { token, expires_at } => {
            let end = expires_at.map_or_else(|| "never".into(), |end| end.to_string());
            format!("{} until {end}", token.expose())
        }
    }
}

fn pair(url: &str, sign_in: &str) -> (String, String) {
    (url.to_owned(), sign_in.to_owned())
}

#[test]
fn what_zenml_login_left_is_found() {
    let home = Home::with(&[("config.yaml", CONFIG), ("credentials.yaml", TOKEN)]);
    let read = home.read(&[]);
    assert_eq!(read.remarks, [""; 0]);
    let login = read.login.unwrap();
    assert_eq!(login.active_project.as_deref(), Some("f8cf76bc-0dff-4dca-b6d3-8f1c4627b66b"));
    assert!(login.origin.ends_with("/config.yaml"), "{}", login.origin);
    let end = "2026-11-27 20:00:00.0 +00:00:00";
    let expected = format!("eyJ.canary.token until {end}");
    assert_eq!(home.at(&[]), pair("https://zenml.example.com", &expected));
    assert!(!format!("{login:?}").contains("canary"), "{login:?}");
}

#[test]
fn what_lasts_longest_signs_in() {
    let credentials = |kept: &str| {
        let text = format!("https://zenml.example.com/:\n  url: x\n{kept}");
        Home::with(&[("config.yaml", CONFIG), ("credentials.yaml", &text)]).at(&[]).1
    };
    let token = "  api_token: {access_token: t, expires_at: '2026-11-27T20:00:00.123456'}\n";
    let user = "  username: me\n  password: ''\n";
    assert_eq!(credentials(&format!("{token}{user}  api_key: ZENKEY_a\n")), "key ZENKEY_a");
    assert_eq!(credentials(&format!("{token}{user}")), "me with ''");
    assert_eq!(credentials(token), "t until 2026-11-27 20:00:00.123456 +00:00:00");
    assert_eq!(credentials("  api_token: {access_token: t}\n"), "t until never");
    assert_eq!(credentials("  username: me\n"), "", "a user without a password signs in nowhere");
    assert_eq!(credentials("  username: me\n  password: 1e5\n"), "me with '1e5'");
    assert_eq!(credentials("  api_token: [1]\n  api_key: 7\n"), "");
}

#[test]
fn a_database_has_no_server() {
    let sql = "store:\n  type: sql\n  url: sqlite:////home/me/zenml.db\nversion: 0.98.0\n";
    assert_eq!(Home::with(&[("config.yaml", sql)]).at(&[]), pair("sql", ""));
    let fresh = "user_id: x\nversion: 0.98.0\n";
    assert_eq!(Home::with(&[("config.yaml", fresh)]).at(&[]), pair("sql", ""));
    assert_eq!(Home::with(&[]).read(&[]), Read::default());
    assert_eq!(read(&Env::default()), Read::default(), "no home at all");
}

#[test]
fn variables_overrule_the_files() {
    let home = Home::with(&[("config.yaml", CONFIG), ("credentials.yaml", TOKEN)]);
    let key = ("ZENML_STORE_API_KEY", "ZENKEY_v");
    assert_eq!(home.at(&[key]), pair("https://zenml.example.com", "key ZENKEY_v"));
    let url = ("ZENML_STORE_URL", "https://other.example.com");
    assert_eq!(home.at(&[url]), pair("https://other.example.com", ""));
    assert_eq!(home.at(&[url, key]), pair("https://other.example.com", "key ZENKEY_v"));
    assert_eq!(home.at(&[("ZENML_STORE_URL", "sqlite:///x.db")]), pair("sql", ""));
    assert_eq!(home.at(&[("ZENML_STORE_TYPE", "sql")]), pair("sql", ""));
    let user = [("ZENML_STORE_USERNAME", "me"), ("ZENML_STORE_PASSWORD", "")];
    assert_eq!(home.at(&[url, user[0], user[1]]).1, "me with ''");
    let read = home.read(&[url, ("ZENML_ACTIVE_PROJECT_ID", "p")]);
    let login = read.login.unwrap();
    assert_eq!(login.origin, "the environment, ZENML_STORE_URL");
    assert_eq!(login.active_project.as_deref(), Some("p"));
}

#[test]
fn damaged_files_are_findings() {
    let bomb = "a: &a [x, x]\nb: *a\n";
    for (text, said) in [
        ("store: {type: rest", "is not what ZenML writes (line 2: this is no YAML"),
        ("- a list\n", "it holds no names and values"),
        ("plain", "it holds no names and values"),
        (bomb, "names for repeated parts"),
        ("store:\n  type: rest\n", "names no server: the URL of the ZenML server is needed"),
        ("store:\n  type: rest\n  url: ftp://x\n", "names no server"),
        ("store:\n  type: \"redis\\e[2J\"\n", "of the kind redis\\u{1b}[2J"),
    ] {
        let read = Home::with(&[("config.yaml", text)]).read(&[]);
        assert_eq!(read.login, None, "{text}");
        let [remark] = read.remarks.as_slice() else { panic!("{text}: {:?}", read.remarks) };
        assert!(remark.contains(said) && remark.contains(": "), "{text}: {remark}");
        assert!(!remark.contains('\u{1b}'), "{remark}");
    }
    assert_eq!(Home::with(&[("config.yaml", "")]).read(&[]), Read::default());
}

#[test]
fn a_login_stands_without_readable_credentials() {
    for text in ["[", "https://zenml.example.com: 7\n", "- x\n"] {
        let home = Home::with(&[("config.yaml", CONFIG), ("credentials.yaml", text)]);
        assert_eq!(home.at(&[]), pair("https://zenml.example.com", ""), "{text}");
        assert_eq!(home.read(&[]).remarks.len(), 1, "{text}");
    }
    let home = Home::with(&[("config.yaml", CONFIG), ("credentials.yaml", "")]);
    assert_eq!(home.read(&[]).remarks, [""; 0], "it is empty after zenml logout");
    std::fs::remove_file(home.path().join("credentials.yaml")).unwrap();
    std::fs::create_dir(home.path().join("credentials.yaml")).unwrap();
    assert!(home.read(&[]).remarks[0].contains("is no file"));
    home.write("config.yaml", &vec![b'#'; 10 << 20]);
    let read = home.read(&[]);
    assert!(read.login.is_none() && read.remarks[0].contains("1024 KiB"), "{read:?}");
}

proptest! {
    #[test]
    fn whatever_the_files_hold_it_is_read_to_an_end(
        config in prop_oneof![
            any::<Vec<u8>>(),
            "[ -~\n\u{0}\u{feff}]{0,200}".prop_map(String::into_bytes),
            "(store|type|url|rest|sql|api_key|[:{}\\[\\]&*!'\"|>-]|\n| ){0,60}".prop_map(String::into_bytes),
        ],
        credentials in "(https://zenml.example.com|api_token|access_token|expires_at|[:{}\\[\\]&*'\"\n ]|  ){0,60}",
    ) {
        let home = Home::with(&[("config.yaml", CONFIG)]);
        home.write("credentials.yaml", credentials.as_bytes());
        let told = home.read(&[]);
        prop_assert!(told.login.is_some());
        home.write("config.yaml", &config);
        for remark in home.read(&[]).remarks.iter().chain(&told.remarks) {
            prop_assert!(!remark.chars().any(char::is_control), "{remark:?}");
        }
    }
}
