//! A folder, a sandbox and the program.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use osstack::keystore::Identity;
use osstack::ops::demo;
use osstack::ports::clock::{SharedClock, SystemClock};
use osstack::ports::entropy::{SeededEntropy, SharedEntropy};
use osstack::sandbox::faults::FaultSwitch;
use osstack::sandbox::{Description, Sandbox, SandboxConfig, Seed};

/// One user's machine.
pub(crate) struct Bench {
    /// Where the sandbox is, and its key.
    pub(crate) sandbox: Description,
    /// What goes wrong there.
    pub(crate) faults: FaultSwitch,
    home: TempDir,
    variables: Vec<(String, String)>,
    _server: tokio::runtime::Runtime,
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

    fn furnish(seed: Seed) -> Self {
        let mut bench = Self::start(seed);
        let clock: SharedClock = Arc::new(SystemClock);
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(3));
        let env = demo::furnish(bench.home.path(), &bench.sandbox, &clock, &entropy).unwrap();
        let identity = env.get("OSSTACK_IDENTITY_FILE").unwrap().to_owned();
        bench.set("OSSTACK_IDENTITY_FILE", &identity);
        bench
    }

    fn start(seed: Seed) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SeededEntropy::new(1)));
        let sandbox = Sandbox::bind(SandboxConfig::new(seed, clock, entropy)).unwrap();
        let (description, faults) = (sandbox.description(), sandbox.faults());
        let server = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        server.spawn(sandbox.serve(CancellationToken::new()));
        let home = tempfile::tempdir().unwrap();
        let mut bench =
            Self { sandbox: description, faults, home, variables: Vec::new(), _server: server };
        let home = bench.home.path().to_str().unwrap().to_owned();
        bench.set("OSSTACK_HOME", &home);
        bench
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
        Ran::of(child.wait_with_output().unwrap())
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

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
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
