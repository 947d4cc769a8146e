//! Objects that fit into memory: one trip to the disk for each. With one for every step, the steps
//! would take longer than the bytes.

use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::{Came, Fetch, Sheet, publish};
use crate::oss::client::Stretch;
use crate::oss::error::Error;
use crate::oss::transfer::link::Lane;
use crate::oss::transfer::{Transferred, local, on_disk};

/// The most bytes of an object that is held.
const MOST: u64 = super::BATCH as u64;

impl Stretch {
    /// Whether the object is to be held.
    pub(super) fn is_small(&self) -> bool {
        self.info.size.is_some_and(|size| size <= MOST)
    }
}

impl Fetch<'_> {
    /// All of a small object; what is not as it should be never reaches the disk.
    pub(super) async fn hold(self, (stretch, lane): (Stretch, Lane)) -> Result<Transferred, Error> {
        let info = stretch.info.clone();
        let sheet = Sheet::new(self, None, None);
        let pour = self.until_cancelled(sheet.piece((0, info.size), stretch, lane)).await?;
        let (bytes, held) = (pour.at, pour.held);
        let came = Came {
            bytes,
            crc: pour.crc.value(),
            size: info.size,
            due: info.crc64,
            etag: info.etag,
        };
        let (folder, relative) = (self.folder.clone(), self.relative.to_owned());
        let (overwrite, entropy) = (self.overwrite, Arc::clone(self.client.entropy()));
        let unsynced = self.run.unsynced.map(Arc::clone);
        let done = on_disk(move || {
            let proof = match came.checked(|| Ok(md5_of(&held)))? {
                Ok(proof) => proof,
                Err(error) => return Ok(Err(error)),
            };
            let part = folder.part(&relative, overwrite, &*entropy)?;
            let mut file = part.file()?;
            held.iter().try_for_each(|bytes| file.write_all(bytes))?;
            publish(part, overwrite, unsynced.as_deref())?;
            Ok(Ok(proof))
        });
        let proof = done
            .await
            .map_err(|error: io::Error| local(super::ACTION, self.relative, &error))??;
        Ok(Transferred { bytes, proof, reused: 0, is_anew: false })
    }
}

fn md5_of(held: &[Bytes]) -> [u8; 16] {
    let mut md5 = Md5::new();
    for bytes in held {
        md5.update(bytes);
    }
    md5.finalize().into()
}
