//! The ladder against the sandbox, over real sockets: each fault shows on its own rung, with its
//! cause and the next step, and nothing is left in the bucket.

use std::sync::Mutex;

use osstack::base::secret_string::SecretString;
use osstack::doctor::{CHECKS, Ladder, Missing, Outcome, Progress, Report, Services, Target};
use osstack::model::finding::State;
use osstack::model::secret::Credentials;
use osstack::model::store::{Signature, StoreDraft};
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::keys::Keys;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::closed_port::ClosedPort;
use crate::doctor_bed::{Bed, code, fact, failed, found, ids, key, quiet, target};

#[tokio::test]
async fn a_good_store_works_by_either_signature_and_nothing_is_left() {
    let bed = Bed::new();
    for signature in [Signature::V2, Signature::V4] {
        let draft = StoreDraft { signature, ..bed.draft() };
        let report = bed.check(target(&draft, bed.credentials())).await;
        assert_eq!(ids(&report, State::Warned), ["multi-delete"], "{report:#?}");
        assert_eq!(
            ids(&report, State::Skipped),
            ["tls", "residency", "stack-components", "python", "rate"],
            "{report:#?}"
        );
        assert_eq!(report.outcome, Outcome::Warned);
        let vantage = report.vantage.as_ref().unwrap();
        assert_eq!(
            (vantage.endpoint.as_str(), vantage.differs()),
            (bed.is.endpoint.as_str(), false)
        );
        assert_eq!(fact(found(&report, "read-range"), "status"), "206");
        assert!(fact(found(&report, "write"), "key").starts_with("zenml/.osstack-check-"));
        assert!(report.left_behind.is_empty());
        assert_eq!(bed.keys().await, [""; 0]);
    }
}

#[tokio::test]
async fn ends_are_told_in_the_tables_order_and_no_rung_begins_before_those_it_needs() {
    let bed = Bed::new();
    let told = Mutex::new(Vec::new());
    let report = Ladder::default()
        .run(bed.target(), bed.services(), &CancellationToken::new(), async |progress| {
            told.lock().unwrap().push(progress);
        })
        .await;
    let told = told.into_inner().unwrap();
    let ends: Vec<_> = told
        .iter()
        .filter_map(|progress| match progress {
            Progress::Found(finding) => Some(finding.clone()),
            Progress::Started(_) => None,
        })
        .collect();
    assert_eq!(ends, report.findings);
    let ids: Vec<_> = report.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, CHECKS.iter().map(|check| check.id).collect::<Vec<_>>());
    let begins = |id: &str| told.iter().position(|it| *it == Progress::Started(id_of(id)));
    for check in CHECKS {
        let begun = begins(check.id).expect(check.id);
        for need in check.needs {
            assert!(begins(need).unwrap() < begun, "{} before {need}", check.id);
        }
    }
    // side by side: these two begin before either has ended
    let end_of = |id: &str| {
        let is = |it: &Progress| matches!(it, Progress::Found(finding) if finding.id == id);
        told.iter().position(is).unwrap()
    };
    assert!(begins("copy").unwrap() < end_of("read-range"));
    assert!(begins("read-range").unwrap() < end_of("copy"));
}

fn id_of(id: &str) -> &'static str {
    CHECKS.iter().find(|check| check.id == id).unwrap().id
}

#[tokio::test]
async fn https_needs_a_ca_that_is_trusted() {
    let bed = Bed::with_tls();
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "tls");
    assert!(
        finding.because.as_deref().unwrap().contains("not known to this machine"),
        "{finding:#?}"
    );
    assert!(finding.next.as_deref().unwrap().contains("OSSTACK_CA_FILE"), "{finding:#?}");

    let bed = bed.trusting();
    let report = bed.check(bed.target()).await;
    assert_eq!(ids(&report, State::Warned), ["multi-delete"], "{report:#?}");
    let tls = found(&report, "tls");
    assert!(fact(tls, "version").starts_with("TLS 1."));
    assert!(fact(tls, "days left").parse::<i64>().unwrap() > 7);
    assert!(fact(tls, "name").starts_with("zenml-demo."));
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_a_changed_request() {
    let bed = Bed::new();
    for signature in [Signature::V2, Signature::V4] {
        let wrong = key(&bed.is.access_key_id, "someoneELSESsecret0123456789ab");
        let draft = StoreDraft { signature, ..bed.draft() };
        let report = bed.check(target(&draft, wrong)).await;
        let finding = failed(&report, "access-key");
        assert_eq!(code(finding).0, Some("SignatureDoesNotMatch"));
        assert!(finding.next.as_deref().unwrap().contains("secret"), "{finding:#?}");
        assert!(finding.because.as_deref().unwrap().contains("very text"), "{finding:#?}");
        assert!(!format!("{report:?}").contains("someoneELSES"));
    }
}

#[tokio::test]
async fn an_unknown_and_a_disabled_key() {
    let bed = Bed::new();
    let unknown = key("LTAI5tNobodyNobodyNobody", "sandboxSANDBOX0123456789secret");
    let report = bed.check(target(&bed.draft(), unknown)).await;
    let finding = failed(&report, "access-key");
    assert_eq!(code(finding), (Some("InvalidAccessKeyId"), Some("0002-00000902")));
    assert!(finding.summary.contains("LTAI…body"), "{finding:#?}");

    bed.meet(|faults| faults.key_disabled = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "access-key");
    assert_eq!(code(finding).1, Some("0002-00000904"));
    assert!(finding.because.as_deref().unwrap().contains("disabled"), "{finding:#?}");
}

#[tokio::test]
async fn a_signature_that_is_switched_off() {
    let bed = Bed::new();
    bed.meet(|faults| faults.v2_off = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "signature");
    assert_eq!(code(finding).1, Some("0002-00000032"));
    assert_eq!(fact(finding, "tried instead"), "S3 V4: not refused");
    let next = finding.next.as_deref().unwrap();
    assert!(next.ends_with("update demo_store --signature v4"), "{finding:#?}");

    bed.meet(|faults| faults.v4_off = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "signature");
    assert_eq!(fact(finding, "tried instead"), "S3 V4: switched off too");
    assert!(finding.next.as_deref().unwrap().contains("support"), "{finding:#?}");
}

#[tokio::test]
async fn a_temporary_key_works_with_its_own_token_only() {
    let bed = Bed::new();
    let keys = Keys::default();
    let report = bed.check(target(&bed.draft(), keys.temporary().duplicate())).await;
    assert_eq!(ids(&report, State::Warned), ["session-token", "multi-delete"], "{report:#?}");
    assert_eq!(fact(found(&report, "secret"), "kind"), "temporary");

    let other = Credentials {
        session_token: Some(SecretString::new("CAISanother+token".into())),
        expires_at: None,
        ..keys.temporary().duplicate()
    };
    let report = bed.check(target(&bed.draft(), other)).await;
    let finding = failed(&report, "session-token");
    assert_eq!(code(finding).0, Some("InvalidSecurityToken"));
    assert!(finding.next.as_deref().unwrap().contains("token"), "{finding:#?}");
    assert!(!format!("{report:?}").contains("CAIS"));
}

#[tokio::test]
async fn a_key_that_may_not_list_buckets_is_an_ordinary_ram_users() {
    let bed = Bed::new();
    bed.meet(|faults| faults.list_buckets_denied = true);
    let report = bed.check(bed.target()).await;
    assert_eq!(ids(&report, State::Warned), ["multi-delete"], "{report:#?}");
    assert!(fact(found(&report, "access-key"), "buckets").contains("RAM user"));
}

#[tokio::test]
async fn a_bucket_in_another_region_names_the_right_endpoint() {
    let bed = Bed::new();
    let there = bed.is.regions.last().unwrap();
    let draft =
        StoreDraft { region: there.id.clone(), endpoint: there.endpoint.clone(), ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    let finding = failed(&report, "bucket-region");
    assert_eq!(code(finding), (Some("AccessDenied"), Some("0003-00001403")));
    let next = finding.next.as_deref().unwrap();
    assert!(next.ends_with(&format!("update demo_store --endpoint {}", bed.is.endpoint)), "{next}");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_can_be_made() {
    let bed = Bed::new();
    let draft = StoreDraft { bucket: "nobodys-bucket".into(), ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    let finding = failed(&report, "bucket");
    assert_eq!(code(finding), (Some("NoSuchBucket"), Some("0015-00000101")));
    assert!(finding.next.as_deref().unwrap().contains("osstack mb"), "{finding:#?}");
}

#[tokio::test]
async fn a_denied_listing_does_not_hide_the_rungs_beside_it() {
    let bed = Bed::new();
    bed.meet(|faults| faults.listing_denied = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "list");
    assert_eq!(code(finding).0, Some("AccessDenied"));
    assert!(finding.next.as_deref().unwrap().contains("oss:ListObjects"), "{finding:#?}");
    for id in ["write", "read-range", "append", "copy", "multipart", "delete", "odd-key"] {
        assert_eq!(found(&report, id).state, State::Passed, "{report:#?}");
    }
    assert_eq!(bed.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_denied_write_leaves_nothing_to_take_back() {
    let bed = Bed::new();
    bed.meet(|faults| faults.writing_denied = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "write");
    assert_eq!(code(finding).0, Some("AccessDenied"));
    assert!(finding.next.as_deref().unwrap().contains("oss:PutObject"), "{finding:#?}");
    assert!(report.left_behind.is_empty(), "{report:#?}");
    assert_eq!(bed.keys().await, [""; 0]);
}

#[tokio::test]
async fn objects_that_cannot_be_removed_are_named() {
    let bed = Bed::new();
    bed.meet(|faults| faults.deleting_denied = true);
    let report = bed.check(bed.target()).await;
    // pipelines write and read all the same
    assert_eq!(report.outcome, Outcome::Warned, "{report:#?}");
    assert_eq!(ids(&report, State::Warned), ["delete", "multi-delete"], "{report:#?}");
    let finding = found(&report, "delete");
    assert!(finding.next.as_deref().unwrap().contains("oss:DeleteObject"), "{finding:#?}");
    let left: Vec<_> = report.left_behind.iter().map(|key| key.as_str().to_owned()).collect();
    assert!(left.iter().any(|key| key == fact(finding, "key")));
    assert!(report.leftovers().unwrap().contains(fact(finding, "key")));
    assert_eq!(bed.keys().await, left);
}

#[tokio::test]
async fn objects_by_a_custom_domain_only() {
    let bed = Bed::new();
    bed.meet(|faults| faults.public_endpoint_forbidden = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "public-endpoint");
    assert_eq!(code(finding), (Some("PublicEndpointForbidden"), Some("0048-00000401")));
    assert!(finding.next.as_deref().unwrap().contains("custom domain"), "{finding:#?}");
}

#[tokio::test]
async fn a_clock_that_is_off() {
    let bed = Bed::new();
    bed.meet(|faults| faults.clock_offset = time::Duration::minutes(-20));
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "clock");
    assert_eq!(finding.summary, "This machine's clock is 20 min ahead.");
    assert_eq!(code(finding).0, Some("RequestTimeTooSkewed"));

    bed.meet(|faults| faults.clock_offset = time::Duration::minutes(7));
    let report = bed.check(bed.target()).await;
    assert_eq!(ids(&report, State::Warned), ["clock", "multi-delete"], "{report:#?}");
    // the seconds since the answer was dated round the seven minutes down or up
    let summary = &found(&report, "clock").summary;
    assert!(summary.ends_with("min behind."), "{summary}");
    assert_eq!(bed.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_web_page_is_no_oss() {
    let bed = Bed::new();
    bed.meet(|faults| faults.html_page = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "oss-server");
    assert!(finding.because.as_deref().unwrap().contains("web page"), "{finding:#?}");
}

#[tokio::test]
async fn a_closed_port() {
    let bed = Bed::new();
    let closed = ClosedPort::new();
    let port = closed.port();
    let endpoint = format!("http://oss-sandbox.localhost:{port}");
    let draft = StoreDraft { endpoint, ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    let finding = failed(&report, "tcp");
    assert!(finding.because.as_deref().unwrap().contains("refuses"), "{finding:#?}");
    assert!(finding.next.as_deref().unwrap().contains(&port.to_string()), "{finding:#?}");
}

/// A store on the real endpoint, seen through a proxy on this machine: no packet leaves it.
async fn through_a_proxy(port: u16) -> Report {
    let bed = Bed::new();
    let proxy = ("HTTPS_PROXY".to_owned(), format!("http://user:canary@127.0.0.1:{port}"));
    let network = Network::new(&Env::new([proxy])).unwrap();
    let services = Services { network, ..bed.services() };
    let draft =
        StoreDraft { region: "eu-central-1".into(), endpoint: "public".into(), ..bed.draft() };
    let target = target(&draft, bed.credentials());
    let report = Ladder::default().run(target, services, &CancellationToken::new(), quiet).await;
    assert_eq!(
        report.vantage.as_ref().and_then(|vantage| vantage.proxy.clone()),
        Some(format!("http://127.0.0.1:{port}"))
    );
    assert_eq!(found(&report, "dns").state, State::Skipped);
    assert!(!format!("{report:?}").contains("canary"));
    report
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let closed = ClosedPort::new();
    let report = through_a_proxy(closed.port()).await;
    let finding = failed(&report, "proxy");
    assert!(finding.next.as_deref().unwrap().contains("HTTPS_PROXY"), "{finding:#?}");
}

#[tokio::test]
async fn a_proxy_that_does_not_open_the_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut proxy = JoinSet::new();
    proxy.spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match socket.read_u8().await {
                    Ok(byte) => head.push(byte),
                    // the port's own check hangs up
                    Err(_) => break,
                }
            }
            if head.starts_with(b"CONNECT zenml-demo.oss-eu-central-1.aliyuncs.com:443 ") {
                socket.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
            }
        }
    });
    let report = through_a_proxy(port).await;
    assert_eq!(found(&report, "proxy").state, State::Passed);
    assert_eq!(found(&report, "tcp").state, State::Skipped);
    let finding = failed(&report, "oss-server");
    assert!(finding.next.as_deref().unwrap().contains("HTTPS_PROXY"), "{finding:#?}");
}

#[tokio::test]
async fn what_the_subject_names_and_is_not_there() {
    let bed = Bed::new();
    let missing = |what: &str| Missing {
        summary: format!("There is no {what}."),
        next: "Make one.".into(),
        fix: None,
    };
    let no_secret = Target { credentials: Err(missing("secret")), ..bed.target() };
    let report = bed.check(no_secret).await;
    assert_eq!(found(&report, "secret").next.as_deref(), Some("Make one."));
    assert_eq!(found(&report, "tcp").state, State::Passed, "the network needs no key");
    assert_eq!(found(&report, "oss-server").state, State::Skipped);

    let no_store = Target { store: Err(missing("store")), ..bed.target() };
    let report = bed.check(no_store).await;
    assert_eq!(report.count(State::Failed), 1);
    assert_eq!(report.count(State::Skipped), CHECKS.len() - 1);
    assert_eq!(report.vantage, None);
}

#[tokio::test]
async fn a_cancelled_diagnosis_takes_back_what_it_wrote() {
    let bed = Bed::new();
    let cancel = CancellationToken::new();
    let report = Ladder::default()
        .run(bed.target(), bed.services(), &cancel, async |progress| {
            if progress == Progress::Started("read-range") {
                cancel.cancel();
            }
        })
        .await;
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert_eq!(found(&report, "write").state, State::Passed);
    assert_eq!(found(&report, "read-range").state, State::Skipped);
    assert!(report.left_behind.is_empty(), "{report:#?}");
    assert_eq!(bed.keys().await, [""; 0]);
}

#[tokio::test]
async fn a_silent_server_does_not_hold_a_cancelled_diagnosis() {
    let bed = Bed::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cancel = CancellationToken::new();
    let hung = cancel.clone();
    let mut server = JoinSet::new();
    server.spawn(async move {
        // the first connection is the port's own check, which hangs up again
        let _port_check = listener.accept().await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        socket.readable().await.unwrap();
        hung.cancel();
        std::future::pending::<()>().await;
    });
    let endpoint = format!("http://oss-sandbox.localhost:{port}");
    let draft = StoreDraft { endpoint, ..bed.draft() };
    let target = target(&draft, bed.credentials());
    let ladder = Ladder::default();
    let running = ladder.run(target, bed.services(), &cancel, quiet);
    let report = tokio::time::timeout(std::time::Duration::from_secs(5), running).await.unwrap();
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert_eq!(found(&report, "oss-server").because.as_deref(), Some("the diagnosis was stopped"));
}

#[tokio::test]
async fn json_has_the_documented_fields() {
    let bed = Bed::new();
    bed.meet(|faults| faults.listing_denied = true);
    let json = bed.check(bed.target()).await.to_json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["subject"], "store/demo_store");
    assert_eq!(json["outcome"], "failed");
    let checks = json["checks"].as_array().unwrap();
    let list = checks.iter().find(|check| check["id"] == "list").unwrap();
    let names: Vec<_> = list.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["id", "state", "ms", "summary", "facts", "error", "because", "next", "steps", "fix"]
    );
    assert_eq!(list["error"]["code"], "AccessDenied");
    assert_eq!(list["error"]["status"], 403);
    assert!(checks[0]["error"].is_null());
    assert_eq!(checks[0]["facts"]["path"], "s3://zenml-demo/zenml");
}
