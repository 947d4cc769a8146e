//! Files as the tools write them, as people edit them, and as disks and strangers leave them.

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::base::atomic_file;

const NOW: OffsetDateTime = datetime!(2026-11-27 12:00 UTC);

/// A home with files in it.
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
        atomic_file::write(&self.0.path().join(name), bytes, 1, &options).unwrap();
    }

    fn find(&self, variables: &[(&str, &str)]) -> Findings {
        let home = [("HOME", self.0.path().to_str().unwrap())];
        let all = home.iter().chain(variables);
        let env = Env::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        find(&env, NOW)
    }
}

/// The sentences about what gives no key.
fn said(findings: &Findings) -> Vec<&str> {
    findings.skipped.iter().map(|skipped| skipped.said.as_str()).collect()
}

/// Source, id, secret and token of each key.
fn keys(findings: &Findings) -> Vec<[&str; 4]> {
    let all = findings.keys.iter();
    all.map(|key| {
        let token = key.session_token.as_ref().map_or("", SecretString::expose);
        [key.source.as_str(), key.access_key_id.as_str(), key.secret_access_key.expose(), token]
    })
    .collect()
}

fn in_ossutil(text: &str) -> Findings {
    Home::with(&[(".ossutilconfig", text)]).find(&[])
}

#[test]
fn ossutil_of_both_generations() {
    let first = "[Credentials]\nlanguage=EN\nendpoint=oss-cn-hangzhou.aliyuncs.com\n\
                 accessKeyID=id1\naccessKeySecret=s=1==\n[Bucket-Endpoint]\nb=oss\n[Default]\n\
                 proxyHost=x\n";
    let found = in_ossutil(first);
    assert_eq!(keys(&found), [["ossutil:Credentials", "id1", "s=1==", ""]]);
    assert_eq!(found.keys[0].region.as_deref(), Some("cn-hangzhou"));
    let second = "# mine\n[default]\r\naccess-key-id = \"id2\"\r\naccess_key_secret = s2\n\
                  region = cn-beijing\n[profile temp]\naccessKeyId=STS.3\nmode=StsToken\n\
                  accessKeySecret='s3'\nsts-token=t3\n[buckets x]\nregion=cn-hangzhou\n";
    let found = in_ossutil(second);
    let expected = [["ossutil:default", "id2", "s2", ""], ["ossutil:temp", "STS.3", "s3", "t3"]];
    assert_eq!(keys(&found), expected);
    assert_eq!(found.keys[0].region.as_deref(), Some("cn-beijing"));
    assert_eq!(found.keys[1].place, "~/.ossutilconfig, [profile temp]");
    assert_eq!(said(&found), [""; 0]);
}

#[test]
fn every_spelling_of_ossutil_is_known() {
    for id in [
        "accessKeyID",
        "accessKeyId",
        "AccessKeyID",
        "access_key_id",
        "access_id",
        "accessid",
        "access-key-id",
        "access-id",
    ] {
        for secret in
            ["accessKeySecret", "access_key_secret", "access_key", "accesskey", "access-key-secret"]
        {
            for token in ["stsToken", "sts_token", "sts-token"] {
                let text = format!("[Credentials]\n{id}=STS.i\n{secret}=s\n{token}=t\n");
                let expected = [["ossutil:Credentials", "STS.i", "s", "t"]];
                assert_eq!(keys(&in_ossutil(&text)), expected, "{text}");
            }
        }
    }
}

#[test]
fn what_gives_no_key_is_named_with_the_reason() {
    let key = "accessKeyID=LTAI1\naccessKeySecret=s\n";
    for (text, reason) in [
        (format!("[profile a]\nmode=RamRoleArn\n{key}"), "mode RamRoleArn takes on a role"),
        ("[default]\nmode=EcsRamRole\n".into(), "mode EcsRamRole asks the ECS machine"),
        ("[default]\nmode=Process\n".into(), "mode Process runs a program"),
        ("[default]\nmode=oidcRoleArn\n".into(), "mode oidcRoleArn takes on a role"),
        ("[default]\nmode=Anonymous\n".into(), "mode Anonymous signs nothing"),
        ("[default]\nmode=x\u{1b}[2J\n".into(), "mode x\\u{1b}[2J is none that osstack knows"),
        (format!("[Credentials]\n{key}ramRoleArn=acs:ram::1:role/x\n"), "takes on a role"),
        ("[AkService]\necsAk=http://100.100.100.200/x\n".into(), "asks the ECS machine"),
        ("[Credentials]\naccessKeyID=LTAI1\n".into(), "an id without its secret"),
        ("[Credentials]\naccessKeySecret=s\n".into(), "a secret without its id"),
        ("[Credentials]\naccessKeyID=STS.1\naccessKeySecret=s\n".into(), "works with its token"),
        ("[Credentials]\naccessKeyID=LT\0AI\naccessKeySecret=s\n".into(), "holds a blank"),
        ("[Credentials]\naccessKeyID=AKIA1\naccessKeySecret=s\n".into(), "a key of AWS itself"),
    ] {
        let found = in_ossutil(&text);
        assert_eq!(keys(&found), [[""; 4]; 0], "{text}");
        let [why] = said(&found)[..] else { panic!("{text}: {:?}", found.skipped) };
        assert!(why.starts_with("~/.ossutilconfig, [") && why.contains(reason), "{text}: {why}");
        assert!(!why.contains('\u{1b}'), "{why}");
    }
}

const ALIYUN: &str = r#"{"current":"sso","profiles":[
    {"name":"a","mode":"AK","access_key_id":"LTAI5","access_key_secret":"s5","region_id":"cn-shanghai"},
    {"name":"sso","mode":"CloudSSO","access_key_id":"STS.1","access_key_secret":"s1",
     "sts_token":"t1","sts_expiration":1795809600},
    {"name":"sts","mode":"StsToken","access_key_id":"STS.2","access_key_secret":"s2","sts_token":"t2"},
    {"name":"old","mode":"CloudSSO","access_key_id":"STS.3","access_key_secret":"s3",
     "sts_token":"t3","sts_expiration":1595809600},
    {"name":"b","mode":"RamRoleArn","access_key_id":"LTAI6","access_key_secret":"s6"},
    {"name":"new","mode":"OAuth","sts_expiration":0},
    {"name":"empty","mode":"AK","access_key_id":"","access_key_secret":""},
    {"name":7,"mode":"External"},
    {"name":"uri","mode":"CredentialsURI","access_key_id":[]}, 9]}"#;

#[test]
fn aliyun_profiles_and_their_modes() {
    let found = Home::with(&[(".aliyun/config.json", ALIYUN)]).find(&[]);
    assert_eq!(
        keys(&found),
        [
            ["aliyun:sso", "STS.1", "s1", "t1"],
            ["aliyun:a", "LTAI5", "s5", ""],
            ["aliyun:sts", "STS.2", "s2", "t2"],
        ]
    );
    let ends: Vec<_> = found.keys.iter().map(|key| key.expires_at).collect();
    assert_eq!(ends, [Some(datetime!(2026-11-27 20:00 UTC)), None, None]);
    assert_eq!(found.keys[1].region.as_deref(), Some("cn-shanghai"));
    assert_eq!(found.keys[1].place, "~/.aliyun/config.json, profile a");
    let reasons: Vec<&str> = said(&found)
        .into_iter()
        .map(|why| why.strip_prefix("~/.aliyun/config.json, profile ").unwrap())
        .collect();
    assert_eq!(
        reasons,
        [
            "old: the temporary key has ended: sign in with that tool, then look again",
            "b: mode RamRoleArn takes on a role anew each time, so there is no key to keep",
            "new: mode OAuth has no key at the moment: sign in with that tool, then look again",
            "empty: no key is in it yet",
            ": mode External runs a program each time, so there is no key to keep",
            "uri: mode CredentialsURI asks a web address each time, so there is no key to keep",
            ": no key is in it yet",
        ]
    );
}

#[test]
fn damaged_json_is_a_finding() {
    for text in ["", "{", "[]", "7", "{\"profiles\":{}}", "\u{0}", &"[".repeat(100_000)] {
        let found = Home::with(&[(".aliyun/config.json", text)]).find(&[]);
        assert_eq!(keys(&found).len(), 0, "{text}");
        assert_eq!(said(&found), ["~/.aliyun/config.json: not the JSON that aliyun-cli writes"]);
    }
}

#[test]
fn aws_profiles_that_look_usable() {
    let credentials = "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = a\n\
        [oss]\naws_access_key_id = LTAI4\naws_secret_access_key = s4\n\
        aws_session_token = t4\nx_security_token_expires = 2026-11-27T20:30:00+08:00\n\
        [old]\naws_access_key_id=LTAI8\naws_secret_access_key=s8\naws_session_token=t\n\
        x_security_token_expires=2026-11-27T12:00:00Z\n";
    let config = "[default]\nregion = us-east-1\n[profile oss]\nregion = us-east-1\n\
        endpoint_url = https://s3.oss-eu-central-1.aliyuncs.com\ns3 =\n  addressing_style = virtual\n\
        [profile own]\naws_access_key_id = LTAI9\naws_secret_access_key = s9\nregion = cn-beijing\n\
        [profile role]\nrole_arn = arn:x\nsource_profile = default\n[sso-session x]\nsso_start_url=u\n\
        [profile sso]\nsso_session = x\n[profile p]\ncredential_process = x\n\
        [profile w]\nweb_identity_token_file = x\n[services y]\nkey=1\n[profile plain]\nregion=x\n";
    let home = Home::with(&[(".aws/credentials", credentials), (".aws/config", config)]);
    let found = home.find(&[]);
    assert_eq!(keys(&found), [["aws:oss", "LTAI4", "s4", "t4"], ["aws:own", "LTAI9", "s9", ""]]);
    let regions: Vec<_> = found.keys.iter().map(|key| key.region.as_deref()).collect();
    assert_eq!(regions, [Some("eu-central-1"), Some("cn-beijing")]);
    assert_eq!(found.keys[0].expires_at, Some(datetime!(2026-11-27 20:30 +08:00)));
    let profiles = ["aws:role", "aws:sso", "aws:p", "aws:w"];
    assert_eq!(found.skipped[2].sources, profiles);
    assert_eq!(
        said(&found),
        [
            "~/.aws/credentials, [old]: the temporary key has ended: sign in with that tool, \
             then look again",
            "~/.aws/credentials, [default]: a key of AWS itself (AKIA…, ASIA…), which OSS does \
             not know",
            "~/.aws/config, [role], [sso], [p] and 1 more: a role, a sign-in or a program, and \
             no key to keep",
        ]
    );
}

#[test]
fn the_environment_in_the_order_of_preference() {
    let home = Home::with(&[]);
    let variables = [
        ("OSS_ACCESS_KEY_ID", "LTAI7"),
        ("OSS_ACCESS_KEY_SECRET", "s7"),
        ("AWS_ACCESS_KEY_ID", "LTAI7"),
        ("AWS_SECRET_ACCESS_KEY", "s7"),
        ("ALICLOUD_ACCESS_KEY", "no secret beside it"),
        ("ACCESS_KEY_ID", "of some other tool"),
        ("ACCESS_KEY_SECRET", "x"),
    ];
    let found = home.find(&variables);
    assert_eq!(keys(&found), [["env:OSS_ACCESS_KEY_ID", "LTAI7", "s7", ""]]);
    let reason = "the environment, ALICLOUD_ACCESS_KEY: ALICLOUD_SECRET_KEY is not set beside it";
    assert_eq!(said(&found), [reason]);
    assert_eq!(found.skipped[0].sources, ["env:ALICLOUD_ACCESS_KEY"]);
    let role = [&variables[..2], &[("OSS_ROLE_ARN", "acs:ram::1:role/x")]].concat();
    let found = home.find(&role);
    assert!(found.keys.is_empty() && said(&found)[0].contains("OSS_ROLE_ARN"), "{found:?}");

    for [id, secret, token] in [
        [
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_SECURITY_TOKEN",
        ],
        [
            "ALIBABACLOUD_ACCESS_KEY_ID",
            "ALIBABACLOUD_ACCESS_KEY_SECRET",
            "ALIBABACLOUD_SECURITY_TOKEN",
        ],
        ["ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECURITY_TOKEN"],
        ["ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"],
        ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"],
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
    ] {
        let found = home.find(&[(id, "STS.1"), (secret, "s"), (token, "t")]);
        assert_eq!(keys(&found), [[&*format!("env:{id}"), "STS.1", "s", "t"]]);
    }
}

#[test]
fn the_end_of_a_temporary_key_comes_with_it() {
    let home = Home::with(&[]);
    let variables = [
        ("AWS_ACCESS_KEY_ID", "STS.3"),
        ("AWS_SECRET_ACCESS_KEY", "s3"),
        ("AWS_SESSION_TOKEN", "t3"),
        ("AWS_CREDENTIAL_EXPIRATION", "2026-11-27T20:00:00Z"),
    ];
    let end_of = |variables: &[(&str, &str)]| home.find(variables).keys[0].expires_at;
    assert_eq!(end_of(&variables), Some(datetime!(2026-11-27 20:00 UTC)));
    let others = [("OSS_ACCESS_KEY_ID", "LTAI4"), ("OSS_ACCESS_KEY_SECRET", "s4")];
    assert_eq!(end_of(&[&others[..], &variables].concat()), None, "it is another key's");
    let draft = home.find(&variables).keys[0].draft("s", KeyNames::Oss);
    assert_eq!(draft.expires_at, "2026-11-27T20:00:00Z");
    assert!(draft.validate().is_ok());
}

#[test]
fn nothing_is_found_where_nothing_is() {
    assert_eq!(find(&Env::default(), NOW), Findings::default());
    assert_eq!(Home::with(&[]).find(&[]), Findings::default());
}

#[test]
fn no_two_keys_have_one_source_and_there_is_an_end_to_them() {
    let one = "[a]\naccess_id=LTAI1\naccess_key=s\n";
    let sources = |count: usize| -> Vec<String> {
        in_ossutil(&one.repeat(count)).keys.into_iter().map(|key| key.source).collect()
    };
    assert_eq!(sources(3), ["ossutil:a", "ossutil:a#2", "ossutil:a#3"]);
    let found = in_ossutil(&one.repeat(30_000));
    assert_eq!(found.keys.len(), MOST);
    assert_eq!(said(&found), ["ossutil: 29900 more are not shown, which is more than fits"]);
    let none = "[a]\naccess_id=LTAI1\n";
    assert_eq!(in_ossutil(&none.repeat(50_000)).skipped.len(), MOST + 1);
}

#[test]
fn a_disk_in_disorder_is_a_finding_for_each_tool() {
    let home = Home::with(&[]);
    std::fs::create_dir_all(home.0.path().join(".aliyun/config.json")).unwrap();
    std::os::unix::fs::symlink(".ossutilconfig", home.0.path().join(".ossutilconfig")).unwrap();
    home.write(".aws/credentials", b"[oss]\naws_access_key_id = \xff\n");
    home.write(".aws/config", &vec![b'#'; 10 << 20]);
    let found = home.find(&[("OSS_ACCESS_KEY_ID", "LTAI1"), ("OSS_ACCESS_KEY_SECRET", "s")]);
    assert_eq!(keys(&found).len(), 1, "the others are in nobody's way");
    for (said, of) in said(&found).into_iter().zip([
        "~/.ossutilconfig is a link that leads nowhere",
        "~/.aliyun/config.json is no file",
        "~/.aws/credentials is no UTF-8 text",
        "~/.aws/config has more than 1024 KiB",
    ]) {
        assert!(said.starts_with(of), "{said}");
    }
    assert_eq!(found.skipped.len(), 4);
}

#[test]
fn debug_shows_no_value() {
    let text = "[Credentials]\naccessKeyID=LTAI5tExampleExample0001\naccessKeySecret=canary\n";
    let debug = format!("{:?}", in_ossutil(text));
    assert!(debug.contains("LTAI…0001") && !debug.contains("canary"), "{debug}");
    assert!(!debug.contains("Example"), "{debug}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_files_hold_it_is_read_to_an_end(
        ini in "(\\[|profile |default|Credentials|\\]|\n|=|access_key_id|access_key_secret|mode|RamRoleArn|LTAI1|[ -~]|\u{0}|\u{1b}|\u{9b}|\u{202e}){0,60}",
        json in "(\\{|\\}|\"profiles\":|\"name\":|\"mode\":|\"AK\"|\\[|\\]|,|\"[a-z\u{1b}]*\"|[0-9]){0,40}",
        aws in any::<Vec<u8>>(),
    ) {
        let home = Home::with(&[(".ossutilconfig", &ini), (".aliyun/config.json", &json)]);
        home.write(".aws/credentials", &aws);
        home.write(".aws/config", ini.as_bytes());
        let found = home.find(&[]);
        let shown = found.keys.iter().flat_map(|key| [&key.source, &key.place]);
        let said = found.skipped.iter().map(|skipped| &skipped.said);
        let sources = found.skipped.iter().flat_map(|skipped| &skipped.sources);
        for text in shown.chain(said).chain(sources) {
            prop_assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
        }
        for key in &found.keys {
            prop_assert!(key.draft("name", KeyNames::Oss).validate().is_ok(), "{key:?}");
        }
    }
}
