//! Where servers do otherwise than OSS, and why that is so.

use osstack::model::store::Signature;

/// What a difference is seen in.
#[derive(Debug)]
pub(super) enum Cases {
    /// These.
    These(&'static [&'static str]),
    /// All that are not named by another difference or here.
    AllBut(&'static [&'static str]),
}

/// A difference between a server and OSS.
#[derive(Debug)]
pub(super) struct Difference {
    /// Of which server.
    pub(super) server: &'static str,
    /// With which signature; `None` for both.
    pub(super) signature: Option<Signature>,
    /// In which cases.
    pub(super) cases: Cases,
    /// A part of what the case then says.
    pub(super) seen: &'static str,
    /// The reason.
    pub(super) why: &'static str,
}

impl Difference {
    /// Whether the case named `id` shows it.
    pub(super) fn covers(&self, id: &str) -> bool {
        match self.cases {
            Cases::These(cases) => cases.contains(&id),
            Cases::AllBut(cases) => !cases.contains(&id),
        }
    }

    /// The cases that it names.
    pub(super) fn named(&self) -> &'static [&'static str] {
        match self.cases {
            Cases::These(cases) | Cases::AllBut(cases) => cases,
        }
    }
}

/// The differences of a server.
pub(super) fn differences(server: &str, signature: Signature) -> Vec<&'static Difference> {
    let applies = |known: &&Difference| {
        known.server == server && known.signature.is_none_or(|only| only == signature)
    };
    KNOWN.iter().filter(applies).collect()
}

const KNOWN: &[Difference] = &[];
