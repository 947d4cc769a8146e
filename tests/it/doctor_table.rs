//! `assets/checks.md`: every rung, and what it really says of a store that meets the fault it is
//! there for. Made from the table and from runs on the sandbox, and held to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use osstack::doctor::{CHECKS, Ladder, Services, Target};
use osstack::model::finding::{Finding, State};
use osstack::model::store::StoreDraft;
use osstack::ops::check::Subject;
use osstack::oss::object::PutOptions;
use osstack::ports::clock::{Clock, FixedClock, SystemClock};
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::Seed;
use osstack::sandbox::faults::{BadCertificate, BadToken, Faults};
use osstack::sandbox::keys::Keys;
use osstack::zenml::python::{Environment, Package};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::check::{Home, kubernetes};
use crate::closed_port::ClosedPort;
use crate::doctor_bed::{Bed, found, key, quiet, target};
use crate::doctor_traces::Set;
use crate::sandbox_client::{NOW, Running};
use crate::sandbox_versions::versioning;

type SwitchOn = fn(&mut Faults);

/// The faults that a rung shows by itself on an else sound store.
const BY_FAULT: [(&str, SwitchOn); 20] = [
    ("oss-server", |faults| faults.html_page = true),
    ("clock", |faults| faults.clock_offset = time::Duration::minutes(-20)),
    ("signature", |faults| faults.v2_off = true),
    ("access-key", |faults| faults.key_disabled = true),
    ("bucket", |faults| faults.other_account = true),
    ("head-bucket", |faults| faults.head_bucket_denied = true),
    ("public-endpoint", |faults| faults.public_endpoint_forbidden = true),
    ("missing-object", |faults| faults.missing_denied = true),
    ("list", |faults| faults.listing_denied = true),
    ("write", |faults| faults.writing_denied = true),
    ("read-range", |faults| faults.if_match_ignored = true),
    ("append", |faults| faults.whole_read_denied = true),
    ("copy", |faults| faults.copy_off = true),
    ("multipart", |faults| faults.multipart_off = true),
    ("odd-key", |faults| faults.plus_as_space = true),
    ("delete", |faults| faults.deleting_denied = true),
    ("list-paging", |faults| faults.pages_repeat = true),
    ("presign", |faults| faults.presigning_denied = true),
    ("multi-delete", |_| {}),
    ("storage-class", |faults| faults.archived_below = Some("zenml/old/".into())),
];

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it asks for the table to be written anew")]
async fn the_table_of_checks_is_what_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/checks.md");
    let made = made().await;
    if std::env::var_os("OSSTACK_UPDATE_README").is_some() {
        fs::write(&path, made).unwrap();
    } else {
        let there = fs::read_to_string(&path).unwrap();
        assert_eq!(there, made, "run OSSTACK_UPDATE_README=1 cargo test the_table_of_checks");
    }
}

async fn made() -> String {
    let cases = cases().await;
    let mut out = String::from(
        "# What `osstack check` asks\n\n<!-- made by `OSSTACK_UPDATE_README=1 cargo test \
         the_table_of_checks` -->\n\nThe order is the one on screen and in JSON; a check is tried \
         once those it needs have ended and none of them failed. *Failed* means that an ordinary \
         pipeline run of ZenML will fail with these settings; *warned* that it works and something \
         else will not.\n\n| id | title | what is asked | needs |\n|---|---|---|---|\n",
    );
    for check in CHECKS {
        let needs: Vec<_> = check.needs.iter().map(|id| format!("`{id}`")).collect();
        let (id, title, about) = (check.id, check.title, check.about);
        writeln!(out, "| `{id}` | {title} | {about} | {} |", needs.join(" ")).unwrap();
    }
    out.push_str(
        "\n## What they say\n\nOf stores on the sandbox that meet the fault in question.\n",
    );
    for check in CHECKS {
        let Some(finding) = cases.get(check.id) else { continue };
        let sign = if finding.state == State::Failed { "failed" } else { "warned" };
        write!(out, "\n```text\n{}: {sign}\n  {}\n", check.title, finding.summary).unwrap();
        if let Some(line) = &finding.because {
            writeln!(out, "  {line}").unwrap();
        }
        if let Some(line) = &finding.next {
            writeln!(out, "  next: {line}").unwrap();
        }
        out.push_str("```\n");
    }
    out
}

/// A finding of each rung, without what differs from run to run.
async fn cases() -> BTreeMap<&'static str, Finding> {
    let mut cases = BTreeMap::new();
    for (id, fault) in BY_FAULT {
        let bed = Bed::new();
        let (client, bucket) = bed.client();
        client.put(&bucket, "zenml/old/model", "x".into(), &PutOptions::default()).await.unwrap();
        bed.meet(fault);
        let report = bed.check(bed.target()).await;
        cases.insert(id, masked(found(&report, id), &bed.is.endpoint));
    }
    let bed = Bed::new();
    let home = Home::new().await;
    home.stack("custom_stack", "gone_store").await;
    let report = home.check(Subject::Stack("custom_stack".into())).await.unwrap();
    cases.insert("store", found(&report, "store").clone());
    home.stack_with("gpu_stack", "demo_store", kubernetes()).await;
    let report = home.check(Subject::Stack("gpu_stack".into())).await.unwrap();
    cases.insert("stack-components", found(&report, "stack-components").clone());
    let draft = StoreDraft { secret: "gone_secret".into(), ..home.bed.draft() };
    home.register(StoreDraft { name: "keyless".into(), ..draft }).await;
    let report = home.check(Subject::Store("keyless".into())).await.unwrap();
    cases.insert("secret", found(&report, "secret").clone());

    let there = bed.is.regions.last().unwrap().clone();
    let draft = StoreDraft { region: there.id, endpoint: there.endpoint, ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    cases.insert("bucket-region", masked(found(&report, "bucket-region"), &bed.is.endpoint));
    let access = bed.is.endpoint.replace("oss-sandbox", "s3.oss-sandbox");
    let draft = StoreDraft { access, ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    cases.insert("vantage", masked(found(&report, "vantage"), &bed.is.endpoint));
    let temporary = Keys::default().temporary().duplicate();
    bed.meet(|faults| faults.token = Some(BadToken::Expired));
    let report = bed.check(target(&bed.draft(), temporary)).await;
    cases.insert("session-token", masked(found(&report, "session-token"), &bed.is.endpoint));
    bed.client();

    let closed = ClosedPort::new();
    let endpoint = format!("http://oss-sandbox.localhost:{}", closed.port());
    let draft = StoreDraft { endpoint: endpoint.clone(), ..bed.draft() };
    let report = bed.check(target(&draft, key("LTAI", "secret"))).await;
    cases.insert("tcp", masked(found(&report, "tcp"), &endpoint));
    let variable = ("HTTPS_PROXY".to_owned(), format!("http://{}", closed.address()));
    let network = Network::new(&Env::new([variable])).unwrap();
    let draft =
        StoreDraft { region: "eu-central-1".into(), endpoint: "public".into(), ..bed.draft() };
    let services = Services { network, ..bed.services() };
    let cancel = CancellationToken::new();
    let target = target(&draft, bed.credentials());
    let report = Ladder::default().run(target, services, &cancel, quiet).await;
    cases.insert("proxy", masked(found(&report, "proxy"), &endpoint));

    let elsewhere = Network::new(&Env::default()).unwrap();
    let elsewhere = elsewhere.with_host("aliyuncs.com", &[[169, 254, 169, 254].into()]);
    let draft = StoreDraft {
        region: "cn-beijing".into(),
        endpoint: "https://oss-eu-central-1.aliyuncs.com".into(),
        ..bed.draft()
    };
    let services = Services { network: elsewhere, ..bed.services() };
    let target = crate::doctor_bed::target(&draft, bed.credentials());
    let report = Ladder::default().run(target, services, &cancel, quiet).await;
    for id in ["endpoint", "dns"] {
        cases.insert(id, found(&report, id).clone());
    }
    let bed = Bed::new();
    let draft = StoreDraft { residency: "EU".into(), ..bed.draft() };
    let target = crate::doctor_bed::target(&draft, bed.credentials());
    let target = Target { python: Some(Ok(newest())), ..target };
    let report = bed.check(target).await;
    for id in ["residency", "python"] {
        cases.insert(id, masked(found(&report, id), &bed.is.endpoint));
    }

    let bed = Bed::with_tls().trusting();
    bed.meet(|faults| faults.certificate = Some(BadCertificate::Expired));
    let report = bed.check(bed.target()).await;
    cases.insert("tls", masked(found(&report, "tls"), &bed.is.endpoint));
    by_time(&mut cases).await;
    for check in CHECKS {
        assert!(cases.contains_key(check.id), "no store on the sandbox shows {}", check.id);
    }
    for (id, finding) in &cases {
        assert!(matches!(finding.state, State::Failed | State::Warned), "{id}: {finding:#?}");
    }
    cases
}

/// What shows only on a bucket with a past, or by how long things take.
async fn by_time(cases: &mut BTreeMap<&'static str, Finding>) {
    let clock = Arc::new(Set(Mutex::new(SystemClock.now())));
    let bed = Bed::by_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (client, bucket) = bed.client();
    let left = "zenml/.osstack-check-0123456789abcdef/small";
    client.put(&bucket, left, "x".into(), &PutOptions::default()).await.unwrap();
    clock.forward(time::Duration::hours(2));
    bed.meet(|faults| faults.deleting_denied = true);
    let report = bed.check(bed.target()).await;
    cases.insert("leftovers", masked(found(&report, "leftovers"), &bed.is.endpoint));

    let sandbox = Running::start(Seed::Empty);
    versioning(&sandbox, "Enabled").await;
    let is = &sandbox.description;
    let draft = StoreDraft {
        bucket: is.bucket.clone(),
        region: is.region.clone(),
        endpoint: is.endpoint.clone(),
        ..bed.draft()
    };
    let services = Services { clock: Arc::new(FixedClock(NOW)), ..bed.services() };
    let (cancel, own) = (CancellationToken::new(), key(&is.access_key_id, &is.secret_access_key));
    let report = Ladder::default().run(target(&draft, own), services, &cancel, quiet).await;
    cases.insert("versioning", masked(found(&report, "versioning"), &is.endpoint));

    let bed = Bed::new();
    bed.meet(|faults| faults.largest_put = Some(256 << 10));
    let ladder = Ladder::default().with_rate(true);
    let report = ladder.run(bed.target(), bed.services(), &cancel, quiet).await;
    cases.insert("rate", masked(found(&report, "rate"), &bed.is.endpoint));

    // to this clock a millisecond is two seconds
    bed.meet(|faults| *faults = Faults { latency: Duration::from_millis(1), ..Faults::default() });
    let services = Services { clock: Arc::new(Hasty(SystemClock.instant())), ..bed.services() };
    let report = Ladder::default().run(bed.target(), services, &cancel, quiet).await;
    let slow = found(&report, "round-trip");
    assert_eq!(slow.state, State::Warned, "{slow:#?}");
    // the figures are the machine's of that moment: those of 1.2 s stand for them
    let figures = |text: &str, from: &str, to: &str, shown: &str| {
        let (before, rest) = text.split_once(from).unwrap();
        let (_, after) = rest.split_once(to).unwrap();
        format!("{before}{from}{shown}{to}{after}")
    };
    let slow = Finding {
        summary: figures(&slow.summary, "takes ", " there", "1.2 s"),
        because: slow.because.as_deref().map(|text| figures(text, "wait ", " for", "4 min 48 s")),
        ..slow.clone()
    };
    cases.insert("round-trip", slow);
}

/// Runs two thousand times too fast.
#[derive(Debug)]
struct Hasty(Instant);

impl Clock for Hasty {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now()
    }

    fn instant(&self) -> Instant {
        self.0 + SystemClock.instant().saturating_duration_since(self.0) * 2000
    }
}

/// What a fresh `zenml integration install s3` brings.
fn newest() -> Environment {
    let packages = [
        ("zenml", "0.98.0"),
        ("s3fs", "2026.9.0"),
        ("boto3", "1.43.117"),
        ("botocore", "1.43.117"),
        ("aws-profile-manager", "0.7.3"),
    ];
    let package = |version: &str| Package { version: version.to_owned(), needs: Vec::new() };
    Environment {
        place: "/opt/pipelines/bin/python".to_owned(),
        python: Some("3.11.7".to_owned()),
        packages: packages.map(|(name, version)| (name.to_owned(), package(version))).into(),
    }
}

/// With `PORT` in place of the port of `endpoint`.
fn masked(finding: &Finding, endpoint: &str) -> Finding {
    let (_, port) = endpoint.rsplit_once(':').unwrap();
    let mask = |text: &str| text.replace(port, "PORT");
    Finding {
        summary: mask(&finding.summary),
        because: finding.because.as_deref().map(mask),
        next: finding.next.as_deref().map(mask),
        ..finding.clone()
    }
}
