//! Connections, and the way of one request: faults, sign-in, the registry.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::registry::{Asked, Said};
use crate::base::url_encode;

/// The largest body taken; a secret has 64 KiB at the most.
const MAX_BODY: usize = 1 << 20;

const PAGE: &str = "<!doctype html><html><body>Sign in to the network</body></html>";

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, cancel: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((socket, _)) = accepted else {
                    // of the one connection, or no descriptor is free: others may end
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let _ = socket.set_nodelay(true);
                connections.spawn(connection(socket, Arc::clone(&shared)));
            }
        }
    }
}

async fn connection(socket: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { answer(request, &shared).await }
    });
    // how a connection ends is the client's affair
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

/// An error closes the connection without an answer.
async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        return Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large"));
    };
    let faults = shared.faults.now();
    if faults.html_page {
        return Ok(text(StatusCode::OK, "text/html", PAGE));
    }
    let path = parts.uri.path();
    if path == "/health" || path == "/ready" {
        return Ok(text(StatusCode::OK, "text/plain", "ok"));
    }
    let Some(path) = path.strip_prefix("/api/v1") else {
        // the dashboard answers whatever is no part of the API (seen)
        return Ok(text(StatusCode::OK, "text/html", "<!doctype html><title>ZenML</title>"));
    };
    let body = body.to_bytes();
    let asked = Asked {
        method: parts.method.clone(),
        path: path.split('/').skip(1).map(decoded).collect(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        form: pairs(&String::from_utf8_lossy(&body)),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        bearer: bearer(&parts.headers),
    };
    let mut registry = shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
    let is_write = parts.method != Method::GET
        && asked
            .path
            .first()
            .is_some_and(|first| first != "login" && first != "device_authorization");
    let key = header(&parts.headers, "idempotency-key");
    let number = registry.writes;
    if is_write {
        if faults.gone_from.is_some_and(|from| number >= from) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if faults.revoked_at == Some(number) && registry.revoke() {
            return Ok(json(&Said::refusal(401, "CredentialsNotValid", "the token has ended")));
        }
        if let Some((_, status)) = faults.refused_once.filter(|(at, _)| number == *at)
            && registry.refuse()
        {
            return Ok(json(&Said::refusal(status, "RuntimeError", "the database is gone")));
        }
        if let Some((_, status)) = faults.refused_from.filter(|(from, _)| number >= *from) {
            return Ok(json(&Said::refusal(status, "RuntimeError", "the database is gone")));
        }
        if let Some(known) = key.as_ref().and_then(|key| registry.repeated(key)) {
            if faults.repeats_lost {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            return Ok(json(&known));
        }
        if faults.forestalled_at == Some(number) {
            registry.forestall(&asked);
        }
        registry.writes += 1;
    }
    let said = registry.answer(&asked, &faults);
    if is_write {
        if let Some(key) = key {
            registry.remember(key, &said);
        }
        if faults.answer_lost == Some(number) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
    }
    Ok(json(&said))
}

fn json(said: &Said) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = text(status, "application/json", &said.body.to_string());
    if said.status >= 400 {
        let id = http::HeaderValue::from_static("5a4db0c5");
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

fn text(status: StatusCode, kind: &'static str, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static(kind);
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    Some(header(headers, "authorization")?.strip_prefix("Bearer ")?.to_owned())
}

/// Names and values of a query or a form.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " ")))).collect()
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&url_encode::decode_bytes(text.as_bytes())).into_owned()
}
