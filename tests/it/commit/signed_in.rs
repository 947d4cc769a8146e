//! The access token of a sign-in serves the next run too, and nobody else.

use std::fs;

use osstack::ops::connections::{Disconnect, Greet};
use osstack::sandbox::zenml::USER;

use super::*;

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "somebody else damages the files")]
async fn one_sign_in_serves_until_its_token_is_refused() {
    let zenml = StandIn::start();
    let mut me = Committer::connected(&zenml.bed).await;
    assert_eq!(zenml.sign_ins(), 1);
    let kept = me.user.path("state/tokens/prod.age");
    let sealed = fs::read(&kept).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1"), "it is sealed");

    // another run: nothing in memory
    me.user.start_over().await;
    assert_eq!(me.plan().await, NEW);
    assert_eq!(zenml.sign_ins(), 1);

    // what the server does not take any more is asked for anew, once
    zenml.faults.change(|faults| faults.revoked_at = Some(0));
    me.user.start_over().await;
    me.commit().await.unwrap();
    assert_eq!(zenml.sign_ins(), 2);
    assert_ne!(fs::read(&kept).unwrap(), sealed);
    me.user.start_over().await;
    assert_eq!(me.plan().await, KEPT);
    assert_eq!(zenml.sign_ins(), 2);

    // somebody else who signs in and is not taken leaves what is kept as it is
    let before = fs::read(&kept).unwrap();
    let draft = ConnectionDraft {
        name: "prod".into(),
        url: zenml.bed.url.clone(),
        project: "nowhere".into(),
        ..ConnectionDraft::default()
    };
    let (user, password) = USER;
    let other =
        SignIn::Password { user: user.into(), password: SecretString::new(password.into()) };
    let refused = me.run(Connect { draft, with: SignInWith::Known(other) }).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::NotFound);
    assert_eq!(zenml.sign_ins(), 3);
    assert_eq!(fs::read(&kept).unwrap(), before, "the token is still the first one's");

    // a file that somebody damaged, or of another server, is none
    for other in [&b"nonsense"[..], &[], &sealed[..sealed.len() / 2]] {
        fs::write(&kept, other).unwrap();
        me.user.start_over().await;
        me.run(Greet { name: None }).await.unwrap();
    }
    assert_eq!(zenml.sign_ins(), 6);
    let second = StandIn::start();
    let catalog = me.user.path("config/stacks.toml");
    let text = fs::read_to_string(&catalog).unwrap();
    fs::write(&catalog, text.replace(&zenml.bed.url, &second.bed.url)).unwrap();
    me.user.start_over().await;
    me.run(Greet { name: None }).await.unwrap();
    assert_eq!(second.sign_ins(), 1, "the token of one server is not shown to another");

    me.run(Disconnect { name: None }).await.unwrap();
    assert!(!kept.exists());
}
