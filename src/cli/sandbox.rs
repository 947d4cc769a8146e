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
use crate::sandbox::zenml::named::ZENML_FAULTS;
use crate::sandbox::zenml::runs::Runs;
use crate::sandbox::zenml::{API_KEY, Zenml, ZenmlFaults};
use crate::sandbox::{self, BUCKET, Sandbox, SandboxConfig, Seed};

/// Serves until the session is cancelled: by ctrl-c or SIGTERM.
pub(super) async fn run(args: SandboxArgs, session: &mut Session) -> Result<(), Stop> {
    if args.faults.iter().any(|fault| fault == "list") {
        let all: Vec<Listed> = FAULTS.iter().map(|it| (it.name, it.usage(), it.says)).collect();
        return list("FAULT", &all, &mut session.output);
    }
    if args.zenml_faults.iter().any(|fault| fault == "list") {
        return list_zenml(&mut session.output);
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
    let wants_zenml = args.zenml || !args.zenml_faults.is_empty();
    let zenml = wants_zenml.then(|| stand_in(&args.zenml_faults, &sandbox, session)).transpose()?;
    let mut description = json!(sandbox.description());
    if let (Some(zenml), Some(description)) = (&zenml, description.as_object_mut()) {
        let at = json!({ "stand_in": true, "url": zenml.url(), "api_key": API_KEY });
        description.insert("zenml".into(), at);
    }
    session.output.json(&description)?;
    session.output.flush()?;
    let cancel = session.cancel.clone();
    match zenml {
        None => sandbox.serve(cancel).await?,
        Some(zenml) => {
            let both = tokio::join!(sandbox.serve(cancel.clone()), zenml.serve(cancel));
            both.0?;
            both.1.map_err(|source| sandbox::Error::Listen { port: 0, source })?;
        }
    }
    Ok(())
}

/// The stand-in for ZenML over the sandbox's objects.
fn stand_in(faults: &[String], sandbox: &Sandbox, session: &Session) -> Result<Zenml, Failure> {
    let all = ZenmlFaults::of(faults)
        .map_err(|error| Failure::new(FailureKind::Usage, error.to_string()))?;
    let machine = &session.machine;
    let runs = Runs::over(&sandbox.objects(BUCKET), Runs::last_day(machine.clock.now()));
    let (clock, entropy) = (Arc::clone(&machine.clock), Arc::clone(&machine.entropy));
    let zenml = Zenml::bind(clock, entropy, runs)
        .map_err(|source| sandbox::Error::Listen { port: 0, source })?;
    zenml.add_by_hand(&sandbox.description());
    Ok(zenml.with_faults(all))
}

/// All faults of the stand-in for ZenML.
pub(super) fn list_zenml(output: &mut Output) -> Result<(), Stop> {
    let all: Vec<Listed> = ZENML_FAULTS.iter().map(|it| (it.name, it.usage(), it.says)).collect();
    list("FAULT OF THE STAND-IN", &all, output)
}

/// Name, how it is written, what it does.
type Listed = (&'static str, String, &'static str);

fn list(title: &str, faults: &[Listed], output: &mut Output) -> Result<(), Stop> {
    if output.is_json() {
        let faults: Vec<_> = faults
            .iter()
            .map(|(name, usage, says)| json!({ "name": name, "usage": usage, "says": says }))
            .collect();
        return output.json(&json!({ "schema": SCHEMA, "faults": faults }));
    }
    let mut table = Table::new(&[title, "WHAT IT DOES"]);
    for (_, usage, says) in faults {
        table.row([Cell::own(usage.as_str()), Cell::own(*says)]);
    }
    output.table(&table)
}
