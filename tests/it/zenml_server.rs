//! A server over a socket that answers for runs, steps and artifact versions as the stand-in does,
//! and that fails, holds and counts as a test wants.

pub(crate) mod command;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use osstack::sandbox::zenml::runs::{PROJECT, Runs};
use serde_json::{Value, json};
use time::macros::date;

/// What the server holds.
#[derive(Default)]
pub(crate) struct State {
    of: Runs,
    /// `METHOD /path?query`, below `/api/v1`.
    pub(crate) requests: Vec<String>,
    /// So many deletions are answered with 500.
    pub(crate) broken_deletes: usize,
    /// After so many requests the next one is held without an answer, and that it is here is said.
    pub(crate) held: Option<(usize, Sender<()>)>,
    /// Before the first request that has this in its target somebody else does something.
    pub(crate) before: Option<(String, Meanwhile)>,
}

/// What somebody else does.
pub(crate) type Meanwhile = Box<dyn FnOnce(&mut Runs) + Send>;

impl Deref for State {
    type Target = Runs;

    fn deref(&self) -> &Runs {
        &self.of
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Runs {
        &mut self.of
    }
}

impl State {
    pub(crate) fn over(keys: &[(String, u64)]) -> Self {
        Self { of: Runs::over(keys, date!(2026 - 03 - 15)), ..Self::default() }
    }

    fn answer(&mut self, method: &str, target: &str) -> (u16, Value) {
        let asked = format!("{method} {target}");
        if let Some((_, act)) = self.before.take_if(|(part, _)| asked.contains(&**part)) {
            act(&mut self.of);
        }
        self.requests.push(asked);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["info"]) => {
                let info = json!({ "id": "s", "name": "prod", "version": "0.98.0",
                    "active": true, "auth_scheme": "NO_AUTH" });
                return (200, info);
            }
            ("GET", ["projects"]) => {
                let page = json!({ "index": 1, "total_pages": 1, "total": 1,
                    "items": [{ "id": PROJECT, "body": {} }] });
                return (200, page);
            }
            ("DELETE", ["artifact_versions", _]) => {
                if self.broken_deletes > 0 {
                    self.broken_deletes -= 1;
                    return (500, json!({ "detail": ["RuntimeError", "the database is gone"] }));
                }
                let keeps_data = query.get("delete_from_artifact_store").map(String::as_str);
                assert_eq!(keeps_data, Some("false"), "{target}");
            }
            _ => {}
        }
        let none = || (404, json!({ "detail": ["KeyError", "'no such thing'"] }));
        self.of.answer(method, &parts, &query).unwrap_or_else(none)
    }
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).unwrap()
}

/// A server that answers as long as the test runs.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
    pub(crate) fn start(state: State) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { url, state }
    }
}

/// One connection, request by request, until the client closes it.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        reader.read_line(&mut first).ok()?;
        let mut words = first.split_whitespace();
        let (method, target) = (words.next()?, words.next()?);
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let target = target.strip_prefix("/api/v1").unwrap_or(target);
        let (status, body) = {
            let mut state = state.lock().unwrap();
            if let Some((left, here)) = &mut state.held {
                if *left == 0 {
                    here.send(()).ok()?;
                    drop(state);
                    // until the client is gone
                    reader.read_line(&mut String::new()).ok()?;
                    return None;
                }
                *left -= 1;
            }
            state.answer(method, target)
        };
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        (&mut &*stream).write_all(answer.as_bytes()).ok()?;
    }
}
