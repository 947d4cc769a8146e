//! `osstack sandbox`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::args::Sandbox as SandboxArgs;
use super::session::{Session, Stop};
use crate::ops::failure::{Failure, FailureKind};
use crate::ports::paths::Paths;
use crate::sandbox::{Sandbox, SandboxConfig, Seed};

/// Serves until the session is cancelled: by ctrl-c or SIGTERM.
pub(super) async fn run(args: SandboxArgs, session: &mut Session) -> Result<(), Stop> {
    let machine = &session.machine;
    let tls = if args.tls {
        let paths = Paths::find(&machine.env)
            .map_err(|error| Failure::new(FailureKind::Usage, error.to_string()))?;
        Some(paths.state.join("sandbox"))
    } else {
        None
    };
    let sandbox = Sandbox::bind(SandboxConfig {
        port: args.port,
        tls,
        latency: Duration::from_millis(args.latency),
        clock: Arc::clone(&machine.clock),
        entropy: Arc::clone(&machine.entropy),
        seed: if args.empty { Seed::Empty } else { Seed::Demo },
    })?;
    let description = json!(sandbox.description());
    session.output.json(&description)?;
    session.output.flush()?;
    Ok(sandbox.serve(session.cancel.clone()).await?)
}
