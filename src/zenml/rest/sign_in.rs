//! Signing in: API key, password, the device flow, a token at hand.

use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::wire::{Body, Call};
use super::{Client, Error, Kind};
use crate::base::secret_string::SecretString;
use crate::base::url_encode;
use crate::model::connection::SignIn;

/// RFC 8628, 3.4.
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a device shows its user, who opens the page elsewhere and confirms.
#[derive(Debug)]
pub struct DeviceCode {
    /// The page to open, whole.
    pub page: String,
    /// What the user compares or types there.
    pub user_code: String,
    /// Seconds between two asks.
    pub interval: u64,
    /// Seconds until the code ends.
    pub expires_in: u64,
    client_id: String,
    secret: SecretString,
}

/// What the server says of a device code.
#[derive(Debug)]
pub enum DevicePoll {
    /// The user has not confirmed yet.
    Pending,
    /// Signed in.
    Done(SignIn),
}

impl Client {
    /// The token that calls carry; signs in at the first need. None where the server wants none.
    pub(super) async fn bearer(&self) -> Result<Option<Arc<SecretString>>, Error> {
        let info = self.info().await?;
        if let Some(refusal) = info.refusal() {
            return Err(Error::new(Kind::Unsupported, "work with this server", refusal));
        }
        if info.auth_scheme == "NO_AUTH" {
            return Ok(None);
        }
        let mut held = self.0.token.lock().await;
        if let Some(token) = &held.token {
            return Ok(Some(Arc::clone(token)));
        }
        let tokens = self.0.tokens.get();
        let known = match tokens.filter(|_| !held.has_asked) {
            Some(tokens) => tokens.known().await,
            None => None,
        };
        held.has_asked = true;
        let token = if let Some(token) = known {
            token
        } else {
            let (token, _) = self.sign_in().await?;
            if let Some(tokens) = tokens {
                tokens.learned(token.duplicate()).await;
            }
            token
        };
        let token = Arc::new(token);
        held.token = Some(Arc::clone(&token));
        Ok(Some(token))
    }

    /// Drops `token`, which the server no longer takes, unless another took its place meanwhile.
    pub(super) async fn forget(&self, token: Option<&Arc<SecretString>>) {
        let mut held = self.0.token.lock().await;
        if held.token.as_ref().zip(token).is_some_and(|(held, token)| Arc::ptr_eq(held, token)) {
            held.token = None;
        }
    }

    async fn sign_in(&self) -> Result<(SecretString, Option<OffsetDateTime>), Error> {
        let action = "sign in";
        let no = |message: &str| Error::new(Kind::SignIn, action, message);
        let form = match &self.0.sign_in {
            None => return Err(no("nothing is kept that signs in at this server")),
            Some(SignIn::Token { token, expires_at }) => {
                if expires_at.is_some_and(|end| end <= self.0.clock.now()) {
                    let message = "the token kept for this server has ended";
                    return Err(Error::new(Kind::TokenEnded, action, message));
                }
                return Ok((token.duplicate(), *expires_at));
            }
            Some(SignIn::ApiKey(key)) => form(&[("password", key.expose())]),
            Some(SignIn::Password { user, password }) => {
                form(&[("username", user), ("password", password.expose())])
            }
        };
        let body = self.login(form, action).await?;
        token_of(body, self.0.clock.now()).ok_or_else(|| no("the server gives no token"))
    }

    async fn login(&self, form: Zeroizing<String>, action: &str) -> Result<Value, Error> {
        let call = Call {
            method: http::Method::POST,
            path: "/login".into(),
            body: Some(Body::Form(form)),
            bearer: None,
            idempotency_key: None,
            action,
            is_private: true,
        };
        self.repeated(&call).await
    }

    /// Begins the device flow: the user confirms at [`DeviceCode::page`], then
    /// [`Client::poll_device`] answers a sign-in.
    pub async fn start_device(&self) -> Result<DeviceCode, Error> {
        let action = "begin to sign in by browser";
        let info = self.info().await?;
        if let Some(refusal) = info.refusal() {
            return Err(Error::new(Kind::Unsupported, action, refusal));
        }
        let client_id = crate::ports::entropy::uuid(&*self.0.entropy);
        let call = Call {
            method: http::Method::POST,
            path: "/device_authorization".into(),
            body: Some(Body::Form(form(&[("client_id", &client_id)]))),
            bearer: None,
            idempotency_key: None,
            action,
            is_private: true,
        };
        let mut body = self.repeated(&call).await?;
        let missing = || Error::new(Kind::NotZenml, action, "the answer holds no code");
        let text = |body: &mut Value, name: &str| match body.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let device_code = text(&mut body, "device_code").ok_or_else(missing)?;
        let user_code = text(&mut body, "user_code").ok_or_else(missing)?;
        let page = text(&mut body, "verification_uri_complete")
            .or_else(|| text(&mut body, "verification_uri"))
            .ok_or_else(missing)?;
        // the server names a path alone (seen with 0.98)
        let page = if page.starts_with('/') { format!("{}{page}", self.url()) } else { page };
        let number = |name: &str| body.get(name).and_then(Value::as_u64);
        Ok(DeviceCode {
            interval: number("interval").unwrap_or(5).clamp(1, 60),
            expires_in: number("expires_in").unwrap_or(300),
            page,
            user_code,
            client_id,
            secret: SecretString::new(device_code),
        })
    }

    /// Asks once whether the user has confirmed.
    pub async fn poll_device(&self, code: &DeviceCode) -> Result<DevicePoll, Error> {
        let action = "sign in by browser";
        let form = form(&[
            ("grant_type", DEVICE_GRANT),
            ("client_id", &code.client_id),
            ("device_code", code.secret.expose()),
        ]);
        match self.login(form, action).await {
            Ok(body) => {
                let (token, expires_at) = token_of(body, self.0.clock.now()).ok_or_else(|| {
                    Error::new(Kind::NotZenml, action, "the server gives no token")
                })?;
                Ok(DevicePoll::Done(SignIn::Token { token, expires_at }))
            }
            // 400 with authorization_pending or slow_down (RFC 8628, 3.5)
            Err(error) if error.status == Some(400) => Ok(DevicePoll::Pending),
            Err(error) => Err(error),
        }
    }
}

fn token_of(
    mut body: Value,
    now: OffsetDateTime,
) -> Option<(SecretString, Option<OffsetDateTime>)> {
    let Some(Value::String(token)) = body.get_mut("access_token").map(Value::take) else {
        return None;
    };
    let seconds = body.get("expires_in").and_then(Value::as_i64);
    let end = seconds.and_then(|seconds| now.checked_add(time::Duration::seconds(seconds)));
    Some((SecretString::new(token), end))
}

fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let size = fields.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    let mut out = Zeroizing::new(String::with_capacity(size));
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(&Zeroizing::new(url_encode::query(value)));
    }
    out
}
