//! One suite of the client over real servers: every operation, odd keys, both signatures.
//!
//! The sandbox is ours and proves nothing alone, so the same cases run against servers that others
//! wrote. Each case says what OSS does. Where a server does otherwise, that is written down with
//! its reason ([`known`]), and a difference that no longer holds fails as a new one does.
//!
//! `cargo test` runs it over the sandbox. Over other servers, one case after the other:
//!
//! ```text
//! OSSTACK_CONFORMANCE=servers.json cargo test --test it conformance -- --ignored
//! ```
//!
//! where the file (or the variable itself) holds
//! `[{"name", "endpoint", "region", "bucket", "access_key_id", "secret_access_key"}]`. With
//! `"versioned": BUCKET`, one that keeps versions, and `"archived": [BUCKET, KEY]`, an object that
//! is archived, the cases of those run as well.
//! `tests/python/servers_test.py` starts such servers and does this. A name that [`known`] does not
//! have, for example a bucket on OSS itself, must pass every case.

mod buckets;
mod keys;
mod known;
mod listing;
mod multipart;
mod objects;
mod transfers;
mod versions;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::Method;
use osstack::base::secret_string::SecretString;
use osstack::model::bucket::BucketName;
use osstack::model::endpoint::Endpoint;
use osstack::model::secret::Credentials;
use osstack::model::store::Signature;
use osstack::oss::listing::ListRequest;
use osstack::oss::object::PutOptions;
use osstack::oss::{Access, Client, Error, Kind};
use osstack::ports::clock::{Clock as _, FixedClock, SharedClock, SystemClock};
use osstack::ports::entropy::{self, Entropy, SystemEntropy};
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::Seed;
use serde::Deserialize;

use crate::sandbox_client::{Call, Running};
use known::Difference;

/// Cases under way at a time, over the sandbox. Others get one, so that what is written down of
/// them does not hang on their threads.
const AT_ONCE: usize = 4;

/// A server under test.
#[derive(Deserialize)]
struct Server {
    name: String,
    /// The service's URL; buckets stand in front of its host.
    endpoint: String,
    region: String,
    /// Made where it is not there.
    bucket: String,
    access_key_id: String,
    secret_access_key: String,
    /// A bucket that keeps versions, where there is one.
    #[serde(default)]
    versioned: Option<String>,
    /// The bucket and key of an object that is archived, where there is one.
    #[serde(default)]
    archived: Option<(String, String)>,
    /// The certificate to trust, as PEM.
    #[serde(default)]
    ca: Option<PathBuf>,
    #[serde(skip)]
    at_once: Option<usize>,
}

impl Server {
    fn sandbox(running: &Running) -> Self {
        let description = running.description.clone();
        Self {
            name: "sandbox".to_owned(),
            endpoint: description.endpoint,
            region: description.region,
            bucket: description.bucket,
            access_key_id: description.access_key_id,
            secret_access_key: description.secret_access_key,
            versioned: None,
            archived: None,
            ca: description.ca,
            at_once: Some(AT_ONCE),
        }
    }

    fn network(&self) -> Network {
        let network = Network::new(&Env::default()).unwrap();
        match &self.ca {
            Some(file) => network.trusting(&std::fs::read(file).unwrap()).unwrap(),
            None => network,
        }
    }
}

/// What cases work with: a server, a signature, and a folder of their own.
struct Bench {
    server: Server,
    signature: Signature,
    network: Network,
    bucket: BucketName,
    client: Client,
    /// Everything that the cases write lies below it. Ends in `/`.
    root: String,
}

/// Repeats follow at once.
#[derive(Debug)]
struct NoJitter;

impl Entropy for NoJitter {
    fn next_u64(&self) -> u64 {
        0
    }
}

impl Bench {
    fn new(server: Server, signature: Signature) -> Self {
        let network = server.network();
        let bucket = BucketName::parse(&server.bucket).unwrap();
        let random = entropy::hex(&SystemEntropy, 8);
        let root = format!("conformance-{}-{random}/", signature.as_str());
        let key = (server.access_key_id.as_str(), server.secret_access_key.as_str());
        let client = client(&server, &network, signature, key, Arc::new(SystemClock));
        Self { server, signature, network, bucket, client, root }
    }

    /// A client with another key.
    fn client_of(&self, id: &str, secret: &str) -> Client {
        client(&self.server, &self.network, self.signature, (id, secret), Arc::new(SystemClock))
    }

    /// A client whose clock is behind.
    fn client_behind(&self, by: Duration) -> Client {
        let Server { access_key_id, secret_access_key, .. } = &self.server;
        let clock = Arc::new(FixedClock(SystemClock.now() - by));
        let key = (access_key_id.as_str(), secret_access_key.as_str());
        client(&self.server, &self.network, self.signature, key, clock)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.root)
    }

    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), Different> {
        let bytes = Bytes::copy_from_slice(bytes);
        self.client.put(&self.bucket, key, bytes, &PutOptions::default()).await?;
        Ok(())
    }

    async fn read(&self, key: &str) -> Result<Bytes, Error> {
        let mut body = self.client.get(&self.bucket, key, None).await?.value.body;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    /// The keys of a listing, of all its pages.
    async fn keys(&self, request: ListRequest) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut pages = self.client.walk(&self.bucket, request).at_most(1);
        while let Some(page) = pages.next().await {
            keys.extend(page?.entries().map(|entry| entry.key.to_owned()));
        }
        Ok(keys)
    }

    async fn keys_below(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.keys(ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() }).await
    }
}

fn client(
    server: &Server,
    network: &Network,
    signature: Signature,
    (id, secret): (&str, &str),
    clock: SharedClock,
) -> Client {
    let access = Access {
        endpoint: Endpoint::parse(&server.endpoint).unwrap(),
        scope_region: server.region.clone(),
        signature,
        credentials: Arc::new(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: SecretString::new(secret.to_owned()),
            session_token: None,
            expires_at: None,
        }),
    };
    Client::new(network, clock, Arc::new(NoJitter), access)
}

/// How a server differs from what the case says of OSS.
#[derive(Debug)]
struct Different(String);

type Outcome = Result<(), Different>;

impl From<Error> for Different {
    fn from(error: Error) -> Self {
        Self(format!("{:?}: {error}", error.kind))
    }
}

impl From<std::io::Error> for Different {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// `seen` must be `due`.
#[expect(clippy::needless_pass_by_value, reason = "so that cases read as what they say")]
fn same<T: PartialEq + Debug>(what: &str, seen: T, due: T) -> Outcome {
    if seen == due {
        return Ok(());
    }
    Err(Different(format!("{what}: {seen:?} instead of {due:?}")))
}

/// The call must fail, in this way and with this code.
fn refused<T>(what: &str, answer: Result<T, Error>, kind: Kind, code: &str) -> Outcome {
    match answer {
        Ok(_) => Err(Different(format!("{what}: not refused"))),
        Err(error) => {
            let seen = (error.kind, error.code.as_deref().unwrap_or_default());
            same(what, seen, (kind, code))
        }
    }
}

/// The HEAD must fail in this way. Its answer has no body, so there may be no code.
fn refused_head<T>(what: &str, answer: Result<T, Error>, kind: Kind) -> Outcome {
    same(what, answer.map(|_| ()).map_err(|error| error.kind), Err(kind))
}

/// A case, not yet begun.
type Case<'a> = (String, BoxFuture<'a, Outcome>);

fn cases(at: &Bench) -> Vec<Case<'_>> {
    [
        buckets::cases,
        objects::cases,
        keys::cases,
        listing::cases,
        multipart::cases,
        transfers::cases,
        versions::cases,
    ]
    .iter()
    .flat_map(|cases| cases(at))
    .collect()
}

/// How a case ended beside what is written down.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    DiffersAsWritten(&'static str),
    Wrong(String),
}

fn judge(outcome: &Outcome, known: Option<&Difference>) -> Verdict {
    match (outcome, known) {
        (Ok(()), None) => Verdict::Same,
        (Err(Different(seen)), Some(known)) if seen.contains(known.seen) => {
            Verdict::DiffersAsWritten(known.why)
        }
        (Ok(()), Some(_)) => {
            Verdict::Wrong("a difference is written down and there is none".into())
        }
        (Err(Different(seen)), None) => Verdict::Wrong(seen.clone()),
        (Err(Different(seen)), Some(known)) => {
            Verdict::Wrong(format!("differs otherwise than written ({}): {seen}", known.seen))
        }
    }
}

/// Runs all cases with one signature and tells what is wrong.
#[expect(clippy::print_stdout, reason = "the counts are the report")]
async fn run(server: Server, signature: Signature) -> Vec<String> {
    let at = Bench::new(server, signature);
    let title = format!("{} at {}, {signature}", at.server.name, at.server.endpoint);
    let differences = known::differences(&at.server.name, signature);
    let made = at.client.create_bucket(&at.bucket).await;
    let mut wrong: Vec<String> = Vec::new();
    let (mut same, mut differing) = (0, 0);
    let mut outcomes: Vec<(String, Outcome)> = stream::iter(cases(&at))
        .map(|(id, case)| async { (id, case.await) })
        .buffer_unordered(at.server.at_once.unwrap_or(1))
        .collect()
        .await;
    // beside the others, it would take away what they look at
    outcomes.push(("leave nothing behind".to_owned(), objects::leave_nothing(&at).await));
    if let Some(bucket) = &at.server.versioned {
        let bucket = BucketName::parse(bucket).unwrap();
        let outcome = versions::leave_nothing(&at, &bucket).await;
        outcomes.push(("leave no version behind".to_owned(), outcome));
    }
    outcomes.push(("create the bucket".to_owned(), made.map(|_| ()).map_err(Different::from)));
    for named in differences.iter().flat_map(|difference| difference.named()) {
        if !outcomes.iter().any(|(id, _)| id == named) {
            wrong.push(format!("a difference names '{named}', and there is no such case"));
        }
    }
    for (id, outcome) in &outcomes {
        let mut known = differences.iter().copied().filter(|difference| difference.covers(id));
        match judge(outcome, known.next()) {
            Verdict::Same => same += 1,
            Verdict::DiffersAsWritten(why) => {
                differing += 1;
                println!("{title}: {id}: differs as written: {why}");
            }
            Verdict::Wrong(seen) => wrong.push(format!("{id}: {seen}")),
        }
    }
    let (count, faults) = (outcomes.len(), wrong.len());
    println!(
        "{title}: {count} cases, {same} same, {differing} differing as written, {faults} wrong"
    );
    wrong.into_iter().map(|wrong| format!("{title}: {wrong}")).collect()
}

async fn sandbox(tls: Option<PathBuf>) {
    let has_tls = tls.is_some();
    let running = Running::start_configured(Seed::Empty, |config| {
        config.tls = tls;
        config.clock = Arc::new(SystemClock);
    });
    let (versioned, archived) = if has_tls { (None, None) } else { prepare(&running).await };
    for signature in [Signature::V4, Signature::V2] {
        let server = Server {
            versioned: versioned.clone(),
            archived: archived.clone(),
            ..Server::sandbox(&running)
        };
        let wrong = run(server, signature).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Makes a bucket that keeps versions, and an archived object.
async fn prepare(running: &Running) -> (Option<String>, Option<(String, String)>) {
    let bucket = "conformance-versions";
    let call = |bucket: &str, method, key| {
        let host = format!("{bucket}.{}", running.host());
        let call = running.call(method, key);
        Call { host, bucket: Some(bucket.to_owned()), at: SystemClock.now(), ..call }
    };
    let state = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let state = Call { body: state.into(), ..call(bucket, Method::PUT, "") };
    let own = &running.description.bucket;
    let archived = call(own, Method::PUT, "archived").header("x-amz-storage-class", "Archive");
    let calls = [call(bucket, Method::PUT, ""), state.query("versioning", ""), archived];
    for call in calls {
        let answer = call.send(crate::sandbox_client::Signature::V2).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }
    (Some(bucket.to_owned()), Some((own.clone(), "archived".to_owned())))
}

#[tokio::test]
async fn the_sandbox_over_http() {
    sandbox(None).await;
}

#[tokio::test]
async fn the_sandbox_over_https() {
    let folder = tempfile::tempdir().unwrap();
    sandbox(Some(folder.path().to_owned())).await;
}

#[expect(clippy::disallowed_methods, reason = "this test is told where to go by its environment")]
fn others() -> Vec<Server> {
    let told = std::env::var("OSSTACK_CONFORMANCE")
        .expect("OSSTACK_CONFORMANCE names servers: as tests/python/servers_test.py sets it");
    let is_text = told.trim_start().starts_with('[');
    let text = if is_text { told } else { std::fs::read_to_string(told).unwrap() };
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
#[ignore = "needs servers: tests/python/run starts them and runs this"]
async fn servers_that_others_wrote() {
    let mut wrong = Vec::new();
    let count = others().len();
    assert!(count > 0, "OSSTACK_CONFORMANCE names no server");
    for server in 0..count {
        for signature in [Signature::V4, Signature::V2] {
            wrong.extend(run(others().swap_remove(server), signature).await);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_difference_holds_only_as_it_is_written() {
    let known = Difference {
        server: "x",
        signature: None,
        cases: known::Cases::These(&["a"]),
        seen: "404 instead of 403",
        why: "it is so",
    };
    let differs = |text: &str| Err(Different(text.to_owned()));
    assert_eq!(judge(&Ok(()), None), Verdict::Same);
    let as_written = judge(&differs("status: 404 instead of 403"), Some(&known));
    assert_eq!(as_written, Verdict::DiffersAsWritten("it is so"));
    for (outcome, known) in
        [(Ok(()), Some(&known)), (differs("x"), None), (differs("status: 500"), Some(&known))]
    {
        assert!(matches!(judge(&outcome, known), Verdict::Wrong(_)), "{outcome:?}");
    }
    assert!(known.covers("a") && !known.covers("b"));
}
