//! The ladder against the sandbox, over real sockets: each fault shows on its own rung, with its
//! cause and the next step, and nothing is left in the bucket.

use std::sync::{Arc, Mutex};

use osstack::base::secret_string::SecretString;
use osstack::doctor::{CHECKS, Ladder, Missing, Outcome, Progress, Report, Services, Target};
use osstack::model::bucket::BucketName;
use osstack::model::finding::{Finding, State};
use osstack::model::secret::Credentials;
use osstack::model::store::{Signature, StoreDraft};
use osstack::oss::listing::ListRequest;
use osstack::oss::{Access, Client};
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::faults::{FaultSwitch, Faults};
use osstack::sandbox::keys::Keys;
use osstack::sandbox::{Description, Sandbox, SandboxConfig, Seed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A sandbox that runs, and a store in it.
pub(crate) struct Bed {
    pub(crate) is: Description,
    faults: FaultSwitch,
    network: Network,
    _folder: Option<tempfile::TempDir>,
    _server: JoinSet<()>,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::start(None)
    }

    fn with_tls() -> Self {
        Self::start(Some(tempfile::tempdir().unwrap()))
    }

    fn start(folder: Option<tempfile::TempDir>) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SeededEntropy::new(7)));
        let sandbox = Sandbox::bind(SandboxConfig {
            tls: folder.as_ref().map(|folder| folder.path().to_owned()),
            ..SandboxConfig::new(Seed::Empty, clock, entropy)
        })
        .unwrap();
        let (is, faults) = (sandbox.description(), sandbox.faults());
        let mut server = JoinSet::new();
        server.spawn(async move { sandbox.serve(CancellationToken::new()).await.unwrap() });
        let network = Network::new(&Env::default()).unwrap();
        Self { is, faults, network, _folder: folder, _server: server }
    }

    /// The same bed, trusting the sandbox's own CA.
    fn trusting(mut self) -> Self {
        let pem = std::fs::read(self.is.ca.as_ref().unwrap()).unwrap();
        self.network = self.network.trusting(&pem).unwrap();
        self
    }

    fn services(&self) -> Services {
        Services {
            network: self.network.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(8)),
        }
    }

    fn credentials(&self) -> Credentials {
        key(&self.is.access_key_id, &self.is.secret_access_key)
    }

    pub(crate) fn draft(&self) -> StoreDraft {
        StoreDraft {
            name: "demo_store".into(),
            bucket: self.is.bucket.clone(),
            prefix: "zenml".into(),
            secret: "demo_secret".into(),
            region: self.is.region.clone(),
            endpoint: self.is.endpoint.clone(),
            ..StoreDraft::default()
        }
    }

    fn target(&self) -> Target {
        target(&self.draft(), self.credentials())
    }

    fn meet(&self, change: impl FnOnce(&mut Faults)) {
        self.faults.change(change);
    }

    async fn check(&self, target: Target) -> Report {
        let report =
            Ladder::default().run(target, self.services(), &CancellationToken::new(), quiet).await;
        assert_eq!(report.findings.len(), CHECKS.len());
        report
    }

    /// Every key in the bucket, asked with a client that no fault hinders.
    pub(crate) async fn keys(&self) -> Vec<String> {
        self.meet(|faults| *faults = Faults::default());
        let store = self.draft().validate().unwrap();
        let access = Access {
            endpoint: store.access_endpoint().unwrap(),
            scope_region: store.scope_region(),
            signature: Signature::V4,
            credentials: Arc::new(self.credentials()),
        };
        let Services { network, clock, entropy } = self.services();
        let client = Client::new(&network, clock, entropy, access);
        let bucket = BucketName::parse(&self.is.bucket).unwrap();
        let page = client.list_page(&bucket, &ListRequest::default()).await.unwrap();
        page.entries().map(|entry| entry.key.to_owned()).collect()
    }
}

fn key(id: &str, secret: &str) -> Credentials {
    Credentials {
        access_key_id: id.into(),
        secret_access_key: SecretString::new(secret.into()),
        session_token: None,
    }
}

fn target(draft: &StoreDraft, credentials: Credentials) -> Target {
    let store = draft.validate().unwrap();
    Target {
        subject: format!("store/{}", store.name),
        store: Ok(store),
        credentials: Ok(credentials),
    }
}

async fn quiet(_: Progress) {}

fn found<'a>(report: &'a Report, id: &str) -> &'a Finding {
    report.findings.iter().find(|finding| finding.id == id).expect(id)
}

/// The one rung that failed: it says why and what next, and all that stand on it say so.
fn failed<'a>(report: &'a Report, id: &str) -> &'a Finding {
    assert_eq!(report.outcome, Outcome::Failed);
    let finding = found(report, id);
    assert_eq!(finding.state, State::Failed, "{report:#?}");
    assert_eq!(report.first_failure(), Some(finding), "{report:#?}");
    assert!(finding.because.is_some() && finding.next.is_some(), "{finding:#?}");
    let title = CHECKS.iter().find(|check| check.id == id).unwrap().title;
    for check in CHECKS.iter().filter(|check| check.needs.contains(&id)) {
        let above = found(report, check.id);
        assert_eq!(above.state, State::Skipped, "{above:#?}");
        assert!(above.because.as_deref().unwrap().contains(title), "{above:#?}");
    }
    finding
}

fn code(finding: &Finding) -> (Option<&str>, Option<&str>) {
    let error = finding.error.as_ref().expect("what the server said");
    assert!(error.request_id.is_some() && error.status.is_some(), "{error:?}");
    (error.code.as_deref(), error.ec.as_deref())
}

fn fact<'a>(finding: &'a Finding, name: &str) -> &'a str {
    &finding.facts.iter().find(|(fact, _)| *fact == name).expect(name).1
}

#[tokio::test]
async fn a_good_store_passes_by_either_signature_and_nothing_is_left() {
    let bed = Bed::new();
    for signature in [Signature::V2, Signature::V4] {
        let draft = StoreDraft { signature, ..bed.draft() };
        let report = bed.check(target(&draft, bed.credentials())).await;
        assert_eq!(report.outcome, Outcome::Passed, "{report:#?}");
        let skipped: Vec<_> =
            report.findings.iter().filter(|f| f.state == State::Skipped).map(|f| f.id).collect();
        assert_eq!(skipped, ["tls"], "http to this machine has none");
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
async fn rungs_are_told_in_the_tables_order_as_they_happen() {
    let bed = Bed::new();
    let told = Mutex::new(Vec::new());
    let report = Ladder::default()
        .run(bed.target(), bed.services(), &CancellationToken::new(), async |progress| {
            told.lock().unwrap().push(match progress {
                Progress::Started(id) => format!("{id}?"),
                Progress::Found(finding) => format!("{} {}", finding.id, finding.state.as_str()),
            });
        })
        .await;
    let expected: Vec<_> = report
        .findings
        .iter()
        .flat_map(|finding| {
            [format!("{}?", finding.id), format!("{} {}", finding.id, finding.state.as_str())]
        })
        .collect();
    assert_eq!(*told.lock().unwrap(), expected);
    let ids: Vec<_> = report.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, CHECKS.iter().map(|check| check.id).collect::<Vec<_>>());
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
    assert_eq!(report.outcome, Outcome::Passed, "{report:#?}");
    assert!(fact(found(&report, "tls"), "version").starts_with("TLS 1."));
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
    let finding = failed(&report, "access-key");
    assert_eq!(code(finding).1, Some("0002-00000032"));
    assert!(finding.next.as_deref().unwrap().contains("other signature"), "{finding:#?}");
}

#[tokio::test]
async fn a_temporary_key_works_with_its_own_token_only() {
    let bed = Bed::new();
    let keys = Keys::default();
    let report = bed.check(target(&bed.draft(), keys.temporary().duplicate())).await;
    assert_eq!(report.outcome, Outcome::Passed, "{report:#?}");
    assert_eq!(fact(found(&report, "secret"), "kind"), "temporary");

    let other = Credentials {
        session_token: Some(SecretString::new("CAISanother+token".into())),
        ..keys.temporary().duplicate()
    };
    let report = bed.check(target(&bed.draft(), other)).await;
    let finding = failed(&report, "access-key");
    assert_eq!(code(finding).0, Some("InvalidSecurityToken"));
    assert!(finding.next.as_deref().unwrap().contains("token"), "{finding:#?}");
    assert!(!format!("{report:?}").contains("CAIS"));
}

#[tokio::test]
async fn a_key_that_may_not_list_buckets_is_an_ordinary_ram_users() {
    let bed = Bed::new();
    bed.meet(|faults| faults.list_buckets_denied = true);
    let report = bed.check(bed.target()).await;
    assert_eq!(report.outcome, Outcome::Passed, "{report:#?}");
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
    let finding = failed(&report, "bucket-region");
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
    for id in ["write", "read-range", "delete"] {
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
async fn an_object_that_cannot_be_removed_is_named() {
    let bed = Bed::new();
    let report = Ladder::default()
        .run(bed.target(), bed.services(), &CancellationToken::new(), async |progress| {
            if matches!(progress, Progress::Found(finding) if finding.id == "write") {
                bed.meet(|faults| faults.writing_denied = true);
            }
        })
        .await;
    let finding = failed(&report, "delete");
    assert!(finding.next.as_deref().unwrap().contains("oss:DeleteObject"), "{finding:#?}");
    let left: Vec<_> = report.left_behind.iter().map(|key| key.as_str().to_owned()).collect();
    assert_eq!(left, [fact(finding, "key")]);
    assert!(report.leftovers().unwrap().contains(fact(finding, "key")));
    assert_eq!(bed.keys().await, left);
}

#[tokio::test]
async fn objects_by_a_custom_domain_only() {
    let bed = Bed::new();
    bed.meet(|faults| faults.public_endpoint_forbidden = true);
    let report = bed.check(bed.target()).await;
    let finding = failed(&report, "list");
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
    assert_eq!(report.outcome, Outcome::Warned, "{report:#?}");
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let report = through_a_proxy(port).await;
    let finding = failed(&report, "tcp");
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
    assert_eq!(found(&report, "tcp").state, State::Passed);
    let finding = failed(&report, "oss-server");
    assert!(finding.next.as_deref().unwrap().contains("HTTPS_PROXY"), "{finding:#?}");
}

#[tokio::test]
async fn what_the_subject_names_and_is_not_there() {
    let bed = Bed::new();
    let missing =
        |what: &str| Missing { summary: format!("There is no {what}."), next: "Make one.".into() };
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
            if matches!(progress, Progress::Found(finding) if finding.id == "write") {
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
    assert_eq!(names, ["id", "state", "ms", "summary", "facts", "error", "because", "next"]);
    assert_eq!(list["error"]["code"], "AccessDenied");
    assert_eq!(list["error"]["status"], 403);
    assert!(checks[0]["error"].is_null());
    assert_eq!(checks[0]["facts"]["path"], "s3://zenml-demo/zenml");
}
