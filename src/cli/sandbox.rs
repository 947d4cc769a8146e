//! `osstack sandbox`.

use std::sync::Arc;

use serde_json::json;

use super::SCHEMA;
use super::args::Sandbox as SandboxArgs;
use super::output::Output;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::ops::failure::{Failure, FailureKind};
use crate::ports::paths::Paths;
use crate::sandbox::faults::{FAULTS, Faults};
use crate::sandbox::hosts::Domain;
use crate::sandbox::{Sandbox, SandboxConfig, Seed};

/// Serves until the session is cancelled: by ctrl-c or SIGTERM.
pub(super) async fn run(args: SandboxArgs, session: &mut Session) -> Result<(), Stop> {
    if args.faults.iter().any(|fault| fault == "list") {
        return list_faults(&mut session.output);
    }
    let machine = &session.machine;
    let wrong = |message: String| Failure::new(FailureKind::Usage, message);
    let mut faults = Faults::default();
    for fault in &args.faults {
        faults.switch_on(fault).map_err(|error| wrong(error.to_string()))?;
    }
    if faults.certificate.is_some() && !args.tls {
        return Err(wrong("a fault of the certificate needs https; add --tls".to_owned()).into());
    }
    let domains: Result<Vec<Domain>, _> = args.domains.iter().map(|text| text.parse()).collect();
    let domains = domains.map_err(|error| wrong(error.to_string()))?;
    let tls = if args.tls {
        let paths = Paths::find(&machine.env).map_err(|error| wrong(error.to_string()))?;
        Some(paths.state.join("sandbox"))
    } else {
        None
    };
    let seed = if args.empty { Seed::Empty } else { Seed::Demo };
    let (clock, entropy) = (Arc::clone(&machine.clock), Arc::clone(&machine.entropy));
    let config = SandboxConfig::new(seed, clock, entropy);
    let sandbox = Sandbox::bind(SandboxConfig { port: args.port, tls, faults, domains, ..config })?;
    let description = json!(sandbox.description());
    session.output.json(&description)?;
    session.output.flush()?;
    Ok(sandbox.serve(session.cancel.clone()).await?)
}

fn list_faults(output: &mut Output) -> Result<(), Stop> {
    if output.is_json() {
        let faults: Vec<_> = FAULTS
            .iter()
            .map(|fault| json!({ "name": fault.name, "usage": fault.usage(), "says": fault.says }))
            .collect();
        return output.json(&json!({ "schema": SCHEMA, "faults": faults }));
    }
    let mut table = Table::new(&["FAULT", "WHAT IT DOES"]);
    for fault in FAULTS {
        table.row([Cell::own(fault.usage()), Cell::own(fault.says)]);
    }
    output.table(&table)
}
