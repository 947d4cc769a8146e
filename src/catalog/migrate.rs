//! Schemas of the catalog: which one a file has, and the way to the present one.

use toml_edit::{DocumentMut, Item, Table, value};

/// The schema this program writes, and the first there is.
pub(super) const SCHEMA: i64 = 1;

/// What a file says of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// The present one.
    Current,
    /// None, or an older number: a file written by hand. Read as the first.
    Older,
    /// A later one: may be read, never changed.
    Newer(i64),
    /// No number.
    Unreadable,
}

/// The schema of `document`.
pub(super) fn schema_of(document: &Table) -> Schema {
    match document.get("schema").map(Item::as_integer) {
        None => Schema::Older,
        Some(Some(SCHEMA)) => Schema::Current,
        Some(Some(older)) if older < SCHEMA => Schema::Older,
        Some(Some(newer)) => Schema::Newer(newer),
        Some(None) => Schema::Unreadable,
    }
}

/// Brings an older `document` to the present schema. From none or 0 to 1 nothing but the number
/// changes.
pub(super) fn migrate(document: &mut DocumentMut) {
    match document.get_mut("schema").and_then(Item::as_value_mut) {
        Some(present) => {
            let decor = present.decor().clone();
            *present = SCHEMA.into();
            *present.decor_mut() = decor;
        }
        None => {
            document.insert("schema", value(SCHEMA));
        }
    }
}
