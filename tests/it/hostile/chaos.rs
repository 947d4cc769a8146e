//! A line that cuts connections, stands still and flips bits, between the client and the sandbox:
//! whatever ends well holds the right bytes at both ends, and nothing else has a name.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use osstack::base::secret_string::SecretString;
use osstack::model::bucket::BucketName;
use osstack::model::endpoint::Endpoint;
use osstack::oss::object::PutOptions;
use osstack::oss::transfer::{self, Folder, Link, Overwrite, Run, Transferred};
use osstack::oss::{Access, Client, Error};
use osstack::ports::clock::FixedClock;
use osstack::ports::entropy::{Entropy as _, SeededEntropy};
use osstack::sandbox::Seed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::ranges::noise;
use super::server::{HASTY, NoJitter, access, network};
use crate::sandbox_client::{NOW, Running};

/// More than one part.
const SIZE: usize = (17 << 20) + 3;

/// What a connection suffers, behind so many bytes of one of its directions.
#[derive(Clone, Copy, Debug)]
enum Evil {
    Cut,
    Stall,
    Flip,
}

/// Carries bytes to the sandbox and back; some connections suffer.
struct Line {
    address: SocketAddr,
    suffered: Arc<AtomicUsize>,
    _stop: DropGuard,
}

impl Line {
    #[expect(clippy::disallowed_methods, reason = "a server beside what is tested")]
    async fn to(server: SocketAddr, seed: u64, evils: &'static [Evil]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let suffered = Arc::new(AtomicUsize::new(0));
        let (stopped, count) = (stop.clone(), Arc::clone(&suffered));
        tokio::spawn(stopped.run_until_cancelled_owned(async move {
            let entropy = SeededEntropy::new(seed);
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(server).await.unwrap();
                let dice = entropy.next_u64();
                // two of three suffer, anywhere in the first megabytes of either direction
                let evil = (!dice.is_multiple_of(3)).then(|| {
                    let after = (dice >> 16) % (6 << 20);
                    (evils[(dice >> 8) as usize % evils.len()], after, dice >> 60 & 1 == 0)
                });
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                let up = evil.filter(|(.., up)| *up).map(|(evil, after, _)| (evil, after));
                let down = evil.filter(|(.., up)| !*up).map(|(evil, after, _)| (evil, after));
                tokio::spawn(carry(near_in, far_out, up, Arc::clone(&count)));
                tokio::spawn(carry(far_in, near_out, down, Arc::clone(&count)));
            }
        }));
        Self { address, suffered, _stop: stop.drop_guard() }
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    evil: Option<(Evil, u64)>,
    suffered: Arc<AtomicUsize>,
) {
    let (mut buffer, mut passed) = (vec![0; 64 << 10], 0_u64);
    while let Ok(length) = from.read(&mut buffer).await {
        if length == 0 {
            break;
        }
        let due = evil.filter(|(_, after)| (passed..passed + length as u64).contains(after));
        if let Some((evil, after)) = due {
            suffered.fetch_add(1, Ordering::Relaxed);
            match evil {
                Evil::Cut => break,
                // until the client gives up
                Evil::Stall => while from.read(&mut buffer).await.is_ok_and(|length| length > 0) {},
                Evil::Flip => {
                    let at = usize::try_from(after - passed).unwrap();
                    buffer[at] ^= 1;
                }
            }
        }
        passed += length as u64;
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
}

/// A client, by whichever way.
struct Field {
    client: Client,
    bucket: BucketName,
}

impl Field {
    fn of(sandbox: &Running, port: u16) -> Self {
        let described = &sandbox.description;
        let endpoint = format!("http://oss-sandbox.localhost:{port}");
        let mut credentials = access(Endpoint::parse(&endpoint).unwrap()).credentials.duplicate();
        credentials.access_key_id.clone_from(&described.access_key_id);
        credentials.secret_access_key = SecretString::new(described.secret_access_key.clone());
        let credentials = Arc::new(credentials);
        let access = Access { credentials, ..access(Endpoint::parse(&endpoint).unwrap()) };
        let network = network().with_limits(HASTY);
        let client = Client::new(&network, Arc::new(FixedClock(NOW)), Arc::new(NoJitter), access);
        Self { client, bucket: BucketName::parse(&described.bucket).unwrap() }
    }
}

async fn up(field: &Field, file: &Path, key: &str) -> Result<Transferred, Error> {
    let (options, cancel) = (PutOptions::default(), CancellationToken::new());
    let link = Link::new(None);
    let run =
        Run { progress: &|_| (), cancel: &cancel, link: &link, journal: None, unsynced: None };
    transfer::upload(&field.client, file, (&field.bucket, key), &options, run).await
}

async fn down(field: &Field, key: &str, folder: &Path) -> Result<Transferred, Error> {
    let (cancel, link) = (CancellationToken::new(), Link::new(None));
    let run =
        Run { progress: &|_| (), cancel: &cancel, link: &link, journal: None, unsynced: None };
    let opened = Folder::open(folder).unwrap();
    let to = (&opened, Path::new("file"));
    transfer::download(&field.client, (&field.bucket, key), to, Overwrite::Refuse, run).await
}

/// Sends and fetches over lines that suffer; answers how many of each ended well.
async fn tried(
    sending: &'static [Evil],
    fetching: &'static [Evil],
    seeds: std::ops::Range<u64>,
) -> (usize, usize) {
    let (mut sent, mut fetched, mut suffered) = (0, 0, 0);
    for seed in seeds {
        let bytes = noise(seed, SIZE);
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        tokio::fs::write(&source, &bytes).await.unwrap();
        let sandbox = Running::start(Seed::Empty);
        let lines = [sending, fetching].map(|evils| Line::to(sandbox.address(), seed, evils));
        let [out, back] = lines;
        let (out, back) = (out.await, back.await);
        let calm = Field::of(&sandbox, sandbox.address().port());
        let odd = Field::of(&sandbox, out.address.port());
        sent += usize::from(up(&odd, &source, "k").await.is_ok());
        match calm.client.get_range(&calm.bucket, "k", 0, SIZE + 1, None).await {
            // its answer may have been lost, but what is there is whole
            Ok(there) => assert!(there.value.bytes == bytes, "{seed}: another object"),
            Err(error) => {
                assert_eq!(error.kind, osstack::oss::Kind::NotFound, "{seed}: {error}");
                up(&calm, &source, "k").await.unwrap();
            }
        }
        let target = folder.path().join("target");
        tokio::fs::create_dir(&target).await.unwrap();
        let odd = Field::of(&sandbox, back.address.port());
        let down = down(&odd, "k", &target).await;
        fetched += usize::from(down.is_ok());
        match down {
            Ok(_) => assert!(std::fs::read(target.join("file")).unwrap() == bytes, "{seed}"),
            Err(_) => assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0, "{seed}"),
        }
        suffered +=
            [out, back].map(|line| line.suffered.load(Ordering::Relaxed)).iter().sum::<usize>();
    }
    assert!(suffered > 6, "{suffered} times");
    (sent, fetched)
}

/// An upload that stands still is given up after a minute only, which a slow line may need for what
/// this machine has buffered: no test waits for that.
#[tokio::test]
async fn a_line_that_cuts_and_stands_still_is_gone_through() {
    let (sent, fetched) = tried(&[Evil::Cut], &[Evil::Cut, Evil::Stall], 0..6).await;
    assert!(sent >= 4 && fetched >= 4, "{sent} and {fetched} of 6");
}

#[tokio::test]
async fn a_line_that_flips_bits_leaves_nothing_wrong_behind() {
    let (sent, _) = tried(&[Evil::Flip], &[Evil::Flip], 10..16).await;
    assert!(sent >= 3, "{sent} of 6: what arrived otherwise is sent again");
}
