//! The names of the stand-in's faults on the command line. Names stay; what a fault does may grow.

use super::ZenmlFaults;
use crate::base::visible::visible;

/// A fault that has a name.
#[derive(Debug)]
pub struct ZenmlFault {
    /// The name, in kebab case.
    pub name: &'static str,
    /// What stands after `=`: `N`, the number of a write from 0 on; `VERSION`, `NAME`; nothing.
    pub value: Option<&'static str>,
    /// What it does, in one sentence.
    pub says: &'static str,
    set: Set,
}

#[derive(Debug)]
enum Set {
    On(fn(&mut ZenmlFaults)),
    At(fn(&mut ZenmlFaults, usize)),
    Text(fn(&mut ZenmlFaults, &str)),
}

/// All faults that have a name.
pub const ZENML_FAULTS: &[ZenmlFault] = &[
    ZenmlFault {
        name: "answer-lost",
        value: Some("N"),
        says: "write N is done, and its answer never sent",
        set: Set::At(|faults, at| faults.answer_lost = Some(at)),
    },
    ZenmlFault {
        name: "repeats-lost",
        value: None,
        says: "repeats of a write that was done get no answer either",
        set: Set::On(|faults| faults.repeats_lost = true),
    },
    ZenmlFault {
        name: "refused-from",
        value: Some("N"),
        says: "write N and all later ones are refused with 500",
        set: Set::At(|faults, at| faults.refused_from = Some((at, 500))),
    },
    ZenmlFault {
        name: "refused-once",
        value: Some("N"),
        says: "write N is refused with 500, once: what comes after it is done, an undo too",
        set: Set::At(|faults, at| faults.refused_once = Some((at, 500))),
    },
    ZenmlFault {
        name: "gone-from",
        value: Some("N"),
        says: "from write N on the connection is closed before anything is done",
        set: Set::At(|faults, at| faults.gone_from = Some(at)),
    },
    ZenmlFault {
        name: "token-ends-at",
        value: Some("N"),
        says: "at write N all tokens end, once",
        set: Set::At(|faults, at| faults.revoked_at = Some(at)),
    },
    ZenmlFault {
        name: "forestalled-at",
        value: Some("N"),
        says: "before write N somebody else makes what it would make",
        set: Set::At(|faults, at| faults.forestalled_at = Some(at)),
    },
    ZenmlFault {
        name: "html-page",
        value: None,
        says: "a proxy answers everything with a page of its own, with status 200",
        set: Set::On(|faults| faults.html_page = true),
    },
    ZenmlFault {
        name: "pro",
        value: None,
        says: "the server is a workspace of ZenML Pro",
        set: Set::On(|faults| faults.is_pro = true),
    },
    ZenmlFault {
        name: "hides-values",
        value: None,
        says: "the user may not read values of secrets",
        set: Set::On(|faults| faults.hides_values = true),
    },
    ZenmlFault {
        name: "more-type",
        value: Some("NAME"),
        says: "it has a type of components that osstack does not know, with a flavor",
        set: Set::Text(|faults, name| faults.more_types.push(name.to_owned())),
    },
    ZenmlFault {
        name: "more-setting",
        value: Some("NAME"),
        says: "every flavor has a setting that osstack does not know, as a newer ZenML's may",
        set: Set::Text(|faults, name| faults.more_settings.push(name.to_owned())),
    },
    ZenmlFault {
        name: "no-flavor",
        value: Some("NAME"),
        says: "it has no flavor of that name, as an older ZenML",
        set: Set::Text(|faults, name| faults.no_flavors.push(name.to_owned())),
    },
    ZenmlFault {
        name: "version",
        value: Some("VERSION"),
        says: "the version that it says it has",
        set: Set::Text(|faults, version| faults.version = Some(version.to_owned())),
    },
];

impl ZenmlFault {
    /// The name with its value, as `--zenml-fault` takes it: `refused-from=N`.
    pub fn usage(&self) -> String {
        self.value.map_or_else(|| self.name.to_owned(), |value| format!("{}={value}", self.name))
    }
}

/// Why a fault is not switched on, ending in what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZenmlFaultError {
    /// Nothing has this name.
    #[error("the stand-in has no fault named {}; `--zenml-fault list` tells all", visible(.0))]
    Unknown(String),
    /// The value does not fit.
    #[error("write the fault as {0}")]
    Value(String),
}

impl ZenmlFaults {
    /// All faults that `names` name.
    pub fn of(names: &[String]) -> Result<Self, ZenmlFaultError> {
        let mut faults = Self::default();
        names.iter().try_for_each(|name| faults.switch_on(name))?;
        Ok(faults)
    }

    /// Switches on the fault that `text` names: `refused-from=2`, `pro`.
    pub fn switch_on(&mut self, text: &str) -> Result<(), ZenmlFaultError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let fault = ZENML_FAULTS.iter().find(|fault| fault.name == name);
        let fault = fault.ok_or_else(|| ZenmlFaultError::Unknown(name.to_owned()))?;
        let misfit = || ZenmlFaultError::Value(fault.usage());
        match (&fault.set, value) {
            (Set::On(on), None) => on(self),
            (Set::At(at), Some(value)) => at(self, value.parse().map_err(|_| misfit())?),
            (Set::Text(text), Some(value)) if !value.is_empty() => text(self, value),
            _ => return Err(misfit()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_changes_something_and_takes_what_it_says() {
        for fault in ZENML_FAULTS {
            let usage = fault.usage().replace("=N", "=3").replace("=VERSION", "=0.91.0");
            let usage = usage.replace("=NAME", "=quantum_solver");
            let mut faults = ZenmlFaults::default();
            faults.switch_on(&usage).unwrap();
            assert_ne!(faults, ZenmlFaults::default(), "{usage}");
            let other = if fault.value.is_some() { fault.name } else { "pro=1" };
            let refused = ZenmlFaults::default().switch_on(other);
            assert!(matches!(refused, Err(ZenmlFaultError::Value(_))), "{other}: {refused:?}");
        }
        let unknown = ZenmlFaults::default().switch_on("nonsense=1");
        assert_eq!(unknown, Err(ZenmlFaultError::Unknown("nonsense".into())));
        assert!(ZenmlFaults::default().switch_on("gone-from=soon").is_err());
    }
}
