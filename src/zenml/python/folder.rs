//! The folder of a virtual environment whose Python does not start: moved, copied from elsewhere,
//! or made for another machine.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Environment, PACKAGES, Package, shown};
use crate::base::visible::visible;

/// More entries than `site-packages` has.
const MOST_ENTRIES: usize = 20_000;

/// More than the metadata of a package takes, in bytes; what it needs stands at the beginning.
const MOST_METADATA: u64 = 256 << 10;

/// What `lib/pythonX.Y/site-packages/*.dist-info` below `folder` say; nothing where there is no
/// such folder.
pub(super) fn read(folder: &Path) -> Option<Environment> {
    let site = site_packages(folder)?;
    let mut packages = BTreeMap::new();
    for entry in fs::read_dir(site).ok()?.take(MOST_ENTRIES).flatten() {
        let name = entry.file_name();
        // NAME-VERSION.dist-info, the name's hyphens as underscores (packaging.python.org)
        let dist = name.to_str().and_then(|name| name.strip_suffix(".dist-info"));
        let Some((name, version)) = dist.and_then(|dist| dist.rsplit_once('-')) else { continue };
        let name = name.to_lowercase().replace(['_', '.'], "-");
        if PACKAGES.contains(&name.as_str()) {
            let version = visible(version).into_string();
            packages.insert(name, Package { version, needs: needs(&entry.path()) });
        }
    }
    Some(Environment { place: shown(folder), python: None, packages })
}

fn site_packages(folder: &Path) -> Option<PathBuf> {
    let libraries = fs::read_dir(folder.join("lib")).ok()?.take(MOST_ENTRIES).flatten();
    libraries.map(|library| library.path().join("site-packages")).find(|site| site.is_dir())
}

fn needs(dist_info: &Path) -> Vec<String> {
    let mut text = Vec::new();
    if let Ok(file) = File::open(dist_info.join("METADATA")) {
        // what cannot be read is not known: the version alone still tells
        let _unread = file.take(MOST_METADATA).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let header = text.lines().take_while(|line| !line.is_empty());
    header.filter_map(|line| line.strip_prefix("Requires-Dist: ")).map(str::to_owned).collect()
}
