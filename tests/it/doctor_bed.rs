//! A sandbox that runs, a store in it, and how a report on it is read.

use std::sync::Arc;

use osstack::base::secret_string::SecretString;
use osstack::doctor::{CHECKS, Ladder, Outcome, Progress, Report, Services, Target};
use osstack::model::bucket::BucketName;
use osstack::model::finding::{Finding, State};
use osstack::model::secret::Credentials;
use osstack::model::store::{Signature, StoreDraft};
use osstack::oss::listing::ListRequest;
use osstack::oss::{Access, Client};
use osstack::ports::clock::{SharedClock, SystemClock};
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::faults::{FaultSwitch, Faults};
use osstack::sandbox::{Description, Sandbox, SandboxConfig, Seed};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A sandbox that runs, and a store in it.
pub(crate) struct Bed {
    pub(crate) is: Description,
    faults: FaultSwitch,
    network: Network,
    clock: SharedClock,
    _folder: Option<tempfile::TempDir>,
    _server: JoinSet<()>,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::start(None)
    }

    pub(crate) fn with_tls() -> Self {
        Self::start(Some(tempfile::tempdir().unwrap()))
    }

    fn start(folder: Option<tempfile::TempDir>) -> Self {
        Self::by(folder, Arc::new(SystemClock))
    }

    /// With `clock` for server and client alike.
    pub(crate) fn by_clock(clock: SharedClock) -> Self {
        Self::by(None, clock)
    }

    fn by(folder: Option<tempfile::TempDir>, clock: SharedClock) -> Self {
        let entropy = Arc::new(SeededEntropy::new(7));
        let sandbox = Sandbox::bind(SandboxConfig {
            tls: folder.as_ref().map(|folder| folder.path().to_owned()),
            ..SandboxConfig::new(Seed::Empty, Arc::clone(&clock), entropy)
        })
        .unwrap();
        let (is, faults) = (sandbox.description(), sandbox.faults());
        let mut server = JoinSet::new();
        server.spawn(async move { sandbox.serve(CancellationToken::new()).await.unwrap() });
        let network = Network::new(&Env::default()).unwrap();
        Self { is, faults, network, clock, _folder: folder, _server: server }
    }

    /// The same bed, trusting the sandbox's own CA.
    pub(crate) fn trusting(mut self) -> Self {
        let pem = std::fs::read(self.is.ca.as_ref().unwrap()).unwrap();
        self.network = self.network.trusting(&pem).unwrap();
        self
    }

    pub(crate) fn services(&self) -> Services {
        Services {
            network: self.network.clone(),
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(SeededEntropy::new(8)),
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
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

    pub(crate) fn target(&self) -> Target {
        target(&self.draft(), self.credentials())
    }

    pub(crate) fn meet(&self, change: impl FnOnce(&mut Faults)) {
        self.faults.change(change);
    }

    pub(crate) async fn check(&self, target: Target) -> Report {
        let report =
            Ladder::default().run(target, self.services(), &CancellationToken::new(), quiet).await;
        assert_eq!(report.findings.len(), CHECKS.len());
        report
    }

    /// A client that no fault hinders: it takes them away.
    pub(crate) fn client(&self) -> (Client, BucketName) {
        self.meet(|faults| *faults = Faults::default());
        let store = self.draft().validate().unwrap();
        let access = Access {
            endpoint: store.access_endpoint().unwrap(),
            scope_region: store.scope_region(),
            signature: Signature::V4,
            credentials: Arc::new(self.credentials()),
        };
        let Services { network, clock, entropy } = self.services();
        let bucket = BucketName::parse(&self.is.bucket).unwrap();
        (Client::new(&network, clock, entropy, access), bucket)
    }

    /// Every key in the bucket, and that of every upload under way.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let (client, bucket) = self.client();
        let page = client.list_page(&bucket, &ListRequest::default()).await.unwrap();
        let uploads = client.list_uploads(&bucket, "").await.unwrap();
        let objects = page.entries().map(|entry| entry.key.to_owned());
        objects.chain(uploads.into_iter().map(|upload| upload.key)).collect()
    }
}

pub(crate) fn key(id: &str, secret: &str) -> Credentials {
    Credentials {
        access_key_id: id.into(),
        secret_access_key: SecretString::new(secret.into()),
        session_token: None,
        expires_at: None,
    }
}

pub(crate) fn target(draft: &StoreDraft, credentials: Credentials) -> Target {
    let store = draft.validate().unwrap();
    Target {
        subject: format!("store/{}", store.name),
        store: Ok(store),
        credentials: Ok(credentials),
        python: None,
        components: None,
    }
}

pub(crate) async fn quiet(_: Progress) {}

pub(crate) fn found<'a>(report: &'a Report, id: &str) -> &'a Finding {
    report.findings.iter().find(|finding| finding.id == id).expect(id)
}

/// The one rung that failed: it says why and what next, and all that stand on it say so.
pub(crate) fn failed<'a>(report: &'a Report, id: &str) -> &'a Finding {
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

/// The ids of what ended so.
pub(crate) fn ids(report: &Report, state: State) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.state == state).map(|it| it.id).collect()
}

pub(crate) fn code(finding: &Finding) -> (Option<&str>, Option<&str>) {
    let error = finding.error.as_ref().expect("what the server said");
    assert!(error.request_id.is_some() && error.status.is_some(), "{error:?}");
    (error.code.as_deref(), error.ec.as_deref())
}

pub(crate) fn fact<'a>(finding: &'a Finding, name: &str) -> &'a str {
    &finding.facts.iter().find(|(fact, _)| *fact == name).expect(name).1
}
