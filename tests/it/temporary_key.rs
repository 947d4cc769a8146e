//! Temporary keys from the answer of STS to the end of the token: on the command line, at the
//! screens and in the check.

use std::sync::Arc;

use osstack::base::secret_string::SecretString;
use osstack::model::finding::{Finding, State};
use osstack::model::secret::Credentials;
use osstack::ports::clock::{Clock as _, SystemClock};
use osstack::sandbox::keys::Keys;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::cli::bench::Bench;
use crate::doctor_bed::{Bed, failed, found, target};
use crate::user::User;

/// As `sts:AssumeRole` answers it.
fn of_sts(end: &str) -> String {
    json!({
        "AccessKeyId": "STS.NExampleExampleExample001",
        "AccessKeySecret": "0123456789abcdefghij0123456789abcdefghij",
        "SecurityToken": "CAISexample",
        "Expiration": end,
    })
    .to_string()
}

#[test]
fn the_answer_of_sts_is_kept_with_its_end() {
    let mut bench = Bench::empty();
    let feed = |bench: &Bench, verb: &str, end: &str| {
        bench.feed(&["secret", verb, "alibaba_secret", "--stdin"], &of_sts(end))
    };
    feed(&bench, "create", "2099-03-15T20:00:00+08:00").ok();
    let end = |bench: &Bench| {
        let got = bench.run(&["secret", "get", "alibaba_secret", "--json"]).ok().json();
        let listed = bench.run(&["secret", "list", "--json"]).ok().json();
        assert_eq!(listed["secrets"][0]["expires_at"], got["expires_at"]);
        assert_eq!(got["has_session_token"], true);
        got["expires_at"].clone()
    };
    let time = |text: &serde_json::Value| {
        let format = &time::format_description::well_known::Rfc3339;
        OffsetDateTime::parse(text.as_str().unwrap(), format).unwrap()
    };
    assert_eq!(time(&end(&bench)), time::macros::datetime!(2099-03-15 12:00 UTC));
    let word = |bench: &Bench| {
        let listed = bench.run(&["secret", "list"]).ok().out;
        let line = listed.lines().find(|line| line.starts_with("alibaba_secret")).unwrap();
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    assert_eq!(word(&bench), "yes");
    let shown = bench.run(&["secret", "get", "alibaba_secret"]).ok().out;
    assert!(shown.contains("ends") && shown.contains("2099-03-15"), "{shown}");

    feed(&bench, "update", "2001-03-15T12:00:00Z").ok();
    assert_eq!(word(&bench), "ended");
    feed(&bench, "update", "").ok();
    assert_eq!(end(&bench), json!(null));
    let refused = bench
        .feed(&["secret", "update", "alibaba_secret", "--stdin", "--json"], &of_sts("in an hour"));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_eq!(refused.json()["error"]["fields"][0]["field"], "expires_at", "{refused:?}");

    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "STS.NExampleExampleExample002"),
        ("AWS_SECRET_ACCESS_KEY", "0123456789abcdefghij0123456789abcdefghij"),
        ("AWS_SESSION_TOKEN", "CAISother"),
        ("AWS_CREDENTIAL_EXPIRATION", "2099-04-01T00:00:00Z"),
    ] {
        bench.set(name, value);
    }
    bench.run(&["secret", "update", "alibaba_secret", "--from-env"]).ok();
    assert_eq!(time(&end(&bench)), time::macros::datetime!(2099-04-01 00:00 UTC));
}

#[tokio::test]
async fn the_check_tells_the_time_left_by_the_clock_it_is_given() {
    let now = SystemClock.now();
    let clock = Arc::new(crate::doctor_traces::Set(std::sync::Mutex::new(now)));
    let bed = Bed::by_clock(Arc::clone(&clock) as Arc<dyn osstack::ports::clock::Clock>);
    let key = || Credentials {
        expires_at: Some(now + Duration::minutes(200)),
        ..Keys::default().temporary().duplicate()
    };
    let rung = async || {
        let report = bed.check(target(&bed.draft(), key())).await;
        assert_eq!(found(&report, "write").state, State::Passed, "{report:#?}");
        found(&report, "session-token").clone()
    };
    let left = |finding: &Finding, text: &str| {
        assert_eq!(finding.state, State::Warned, "{finding:#?}");
        assert!(finding.summary.contains(text), "{finding:#?}");
        finding.because.clone().unwrap()
    };
    let long = left(&rung().await, "ends in 3 h 20 min.");
    clock.forward(Duration::minutes(150));
    let short = left(&rung().await, "ends in 50 min.");
    assert_ne!(long, short);
    clock.forward(Duration::minutes(50));
    let report = bed.check(target(&bed.draft(), key())).await;
    let finding = failed(&report, "session-token");
    assert!(finding.summary.ends_with("has ended."), "{finding:#?}");
    assert!(finding.next.as_deref().unwrap().ends_with("osstack secret update demo_secret"));

    let other = Credentials { session_token: Some(SecretString::new("CAISx".into())), ..key() };
    let report = bed.check(target(&bed.draft(), other)).await;
    let said = failed(&report, "session-token").error.as_ref().unwrap();
    assert_eq!(said.code.as_deref(), Some("InvalidSecurityToken"), "what OSS says comes first");
}

#[tokio::test]
async fn the_form_asks_for_the_end_of_a_temporary_key_alone() {
    let mut user = User::of_demo();
    let picture = user.keys("3nci_key<tab>LTAI5tExampleExample0002<tab>0123456789").await;
    assert!(picture.contains("Session token") && !picture.contains("Token ends"), "{picture}");
    let picture = user.keys("<tab>CAISx").await;
    assert!(picture.contains("Token ends"), "{picture}");
    let picture = user.keys("<tab>tomorrow<ctrl-s>").await;
    insta::assert_snapshot!("secret_form_end", picture);
    // the clock of the tests stands at 10:20 of this day
    let picture = user.keys("<ctrl-u>2026-03-15T13:20:00Z<ctrl-s>").await;
    assert!(picture.contains("is kept"), "{picture}");
    let picture = user.wide();
    insta::assert_snapshot!("secret_temporary_wide", picture);

    // another key takes the end of the former one away
    let picture = user.keys("e").await;
    assert!(picture.contains("2026-03-15T13:20:00Z"), "{picture}");
    let picture = user.keys("<ctrl-u>LTAI5tExampleExample0003").await;
    assert!(!picture.contains("Token ends"), "{picture}");
    let picture = user.keys("<tab><tab>CAISy").await;
    assert!(picture.contains("Token ends") && !picture.contains("13:20"), "{picture}");
}
