//! A folder, a sandbox and the program.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use osstack::keystore::Identity;
use osstack::ops::demo;
use osstack::ports::clock::{Clock as _, SharedClock, SystemClock};
use osstack::ports::entropy::{SeededEntropy, SharedEntropy};
use osstack::sandbox::faults::FaultSwitch;
use osstack::sandbox::{Description, Sandbox, SandboxConfig, Seed};

use crate::sandbox_client::{Call, Signature};

/// One user's machine.
pub(crate) struct Bench {
    /// Where the sandbox is, and its key.
    pub(crate) sandbox: Description,
    /// What goes wrong there.
    pub(crate) faults: FaultSwitch,
    home: TempDir,
    variables: Vec<(String, String)>,
    server: tokio::runtime::Runtime,
}

impl Bench {
    /// Nothing is there yet, and an identity will open the keystore.
    pub(crate) fn empty() -> Self {
        let mut bench = Self::bare();
        let file = bench.path("identity.txt");
        Identity::generate().write_unsealed(&file, 1).unwrap();
        bench.set("OSSTACK_IDENTITY_FILE", file.to_str().unwrap());
        bench
    }

    /// Nothing is there, and nothing gives a key.
    pub(crate) fn bare() -> Self {
        Self::start(Seed::Empty)
    }

    /// A secret, two stores whose buckets are empty, two stacks.
    pub(crate) fn furnished() -> Self {
        let bench = Self::furnish(Seed::Empty);
        bench.run(&["mb", "scratch_store"]).ok();
        bench
    }

    /// The same over the demo's artifacts.
    pub(crate) fn demo() -> Self {
        Self::furnish(Seed::Demo)
    }

    /// The demo over https, with `zenml-demo.oss.example.com` bound to its bucket; what asks for
    /// that name goes through a proxy that knows where it leads.
    pub(crate) fn with_a_domain() -> Self {
        let mut bench = Self::furnish_configured(Seed::Demo, |config, home| {
            config.tls = Some(home.to_owned());
            config.domains = vec!["zenml-demo.oss.example.com=zenml-demo".parse().unwrap()];
        });
        let ca = bench.sandbox.ca.clone().unwrap();
        bench.set("OSSTACK_CA_FILE", ca.to_str().unwrap());
        let proxy = bench.server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        bench.set("HTTPS_PROXY", &address);
        let (_, port) = bench.sandbox.endpoint.rsplit_once(':').unwrap();
        let to = (Ipv4Addr::LOCALHOST, port.parse().unwrap());
        bench.server.spawn(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((socket, _)) = proxy.accept().await {
                tunnels.spawn(tunnel(socket, "zenml-demo.oss.example.com:443", to));
            }
        });
        bench
    }

    fn furnish(seed: Seed) -> Self {
        Self::furnish_configured(seed, |_, _| {})
    }

    fn furnish_configured(seed: Seed, configure: impl FnOnce(&mut SandboxConfig, &Path)) -> Self {
        let mut bench = Self::start_configured(seed, configure);
        let clock: SharedClock = Arc::new(SystemClock);
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(3));
        let env = demo::furnish(bench.home.path(), &bench.sandbox, &clock, &entropy).unwrap();
        let identity = env.get("OSSTACK_IDENTITY_FILE").unwrap().to_owned();
        bench.set("OSSTACK_IDENTITY_FILE", &identity);
        bench
    }

    fn start(seed: Seed) -> Self {
        Self::start_configured(seed, |_, _| {})
    }

    fn start_configured(seed: Seed, configure: impl FnOnce(&mut SandboxConfig, &Path)) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SeededEntropy::new(1)));
        let mut config = SandboxConfig::new(seed, clock, entropy);
        let home = tempfile::tempdir().unwrap();
        configure(&mut config, home.path());
        let sandbox = Sandbox::bind(config).unwrap();
        let (description, faults) = (sandbox.description(), sandbox.faults());
        let server = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        server.spawn(sandbox.serve(CancellationToken::new()));
        let mut bench = Self { sandbox: description, faults, home, variables: Vec::new(), server };
        let home = bench.home.path().to_str().unwrap().to_owned();
        bench.set("OSSTACK_HOME", &home);
        bench
    }

    /// Makes the sandbox keep versions in a bucket.
    pub(crate) fn keep_versions(&self, bucket: &str) {
        let (_, authority) = self.sandbox.endpoint.rsplit_once('/').unwrap();
        let (_, port) = authority.rsplit_once(':').unwrap();
        let xml = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let call = Call {
            address: (Ipv4Addr::LOCALHOST, port.parse().unwrap()).into(),
            method: http::Method::PUT,
            host: format!("{bucket}.{authority}"),
            bucket: Some(bucket.to_owned()),
            path: "/".into(),
            query: BTreeMap::from([("versioning".into(), String::new())]),
            headers: BTreeMap::new(),
            body: xml.into(),
            id: self.sandbox.access_key_id.clone(),
            secret: self.sandbox.secret_access_key.clone(),
            at: SystemClock.now(),
        };
        let put = self.server.block_on(call.send(Signature::V2));
        assert_eq!(put.status.as_u16(), 200, "{}", put.text());
    }

    /// Sets a variable of the program's environment, which holds nothing else.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(other, _)| other != name);
    }

    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.home.path().join(relative)
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "the user's own editor is played here")]
    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A file with these bytes.
    #[expect(clippy::disallowed_methods, reason = "the user's own files are played here")]
    pub(crate) fn put(&self, relative: &str, bytes: &[u8]) {
        std::fs::write(self.path(relative), bytes).unwrap();
    }

    /// Runs the program without a terminal and with nothing on stdin.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.feed(arguments, "")
    }

    /// Runs it with `input` on stdin.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Ran {
        use std::io::Write as _;
        let mut child = self.spawn(arguments);
        let mut stdin = child.stdin.take().unwrap();
        // a program that ends before it reads all is judged by how it ends
        let _unread = stdin.write_all(input.as_bytes());
        drop(stdin);
        let ran = Ran::of(child.wait_with_output().unwrap());
        let secret = &self.sandbox.secret_access_key;
        // the sandbox's own first line tells its key to whoever starts it
        if arguments.first() != Some(&"sandbox") {
            assert!(!ran.out.contains(secret), "the secret is on stdout of {arguments:?}");
            assert!(!ran.err.contains(secret), "the secret is on stderr of {arguments:?}");
        }
        ran
    }

    /// Serves the stand-in for ZenML by command, and signs in there as `here`.
    pub(crate) fn zenml(&self, faults: &[&str]) -> Child {
        let mut child = self.spawn(&[&["sandbox", "--zenml"], faults].concat());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let description: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(description["zenml"]["stand_in"], true);
        let text = |name: &str| description["zenml"][name].as_str().unwrap().to_owned();
        let login = ["zenml", "login", &text("url"), "--name", "here", "--api-key-stdin", "--json"];
        let signed_in = self.feed(&login, &text("api_key")).ok().json();
        assert_eq!(signed_in["server"]["stand_in"], true);
        child
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where tests start the program")]
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_osstack"))
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// Whatever was run, no secret lies in the program's own files: looked for at the end of every
/// test.
impl Drop for Bench {
    fn drop(&mut self) {
        let mut folders: Vec<PathBuf> =
            ["config", "data", "state"].map(|name| self.path(name)).into();
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap_or_default();
                let is_leak = String::from_utf8_lossy(&bytes)
                    .contains(self.sandbox.secret_access_key.as_str());
                assert!(
                    !is_leak || std::thread::panicking(),
                    "the secret is in {}",
                    path.display()
                );
            }
        }
    }
}

/// Opens the way to `host` and to nowhere else.
async fn tunnel(mut socket: TcpStream, host: &str, to: (Ipv4Addr, u16)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // the port's own check hangs up
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(byte);
    }
    if !head.starts_with(format!("CONNECT {host} ").as_bytes()) {
        let _gone = socket.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
        return;
    }
    let mut server = TcpStream::connect(to).await.unwrap();
    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let _ended = tokio::io::copy_bidirectional(&mut socket, &mut server).await;
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

/// Ends what was spawned, in good order.
pub(crate) fn stop(child: Child) {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, 0);
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
        }
    }

    /// It went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// Its one document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its documents, one a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        self.out.lines().map(read).collect()
    }
}
