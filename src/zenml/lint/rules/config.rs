//! `config_kwargs`: addressing, signature, checksums.

use serde_json::{Value, json};

use super::{Case, Kwargs};
use crate::base::visible::visible;
use crate::model::store::Signature;
use crate::zenml::lint::{Severity, Uses};
use crate::zenml::version::Version;

impl Case {
    pub(super) fn config(&mut self, kwargs: &mut Kwargs) -> Uses {
        let checksums = ["request_checksum_calculation", "response_checksum_validation"];
        self.addressing(kwargs);
        self.signature_place(kwargs);
        let checksum_settings = checksums.iter().any(|name| kwargs.config.contains_key(*name));
        let version = kwargs.config.get("signature_version").and_then(Value::as_str);
        let signature = if version == Some("s3") { Signature::V2 } else { Signature::V4 };
        // plain http is a fault of its own, and mended to https
        let uses = Uses { signature, https: true, checksum_settings };
        let required = kwargs.config.get(checksums[0]).and_then(Value::as_str);
        let plain_uploads = required == Some("when_required");
        let newer = self.botocore.map(|version| version >= Version::NEWER_CHECKSUMS);
        match version {
            Some("s3" | "s3v4") | None => {}
            Some(other) => {
                let meaning = format!(
                    "botocore knows no signature {} for S3: it has s3 (S3 V2) and s3v4.",
                    visible(other)
                );
                let subject = "config_kwargs.signature_version";
                self.mend(Severity::Error, "signature-unknown", subject, &meaning, "s3");
                kwargs.config.insert("signature_version".into(), json!("s3"));
                return Uses { signature: Signature::V2, ..uses };
            }
        }
        if signature == Signature::V4 && !plain_uploads && newer != Some(false) {
            let (corrected, settings): (&str, &[(&str, &str)]) = if version.is_some() {
                let corrected = "request_checksum_calculation and response_checksum_validation = \
                                 when_required, or signature_version = s3";
                (corrected, &[(checksums[0], "when_required"), (checksums[1], "when_required")])
            } else {
                ("\"signature_version\": \"s3\"", &[("signature_version", "s3")])
            };
            self.mend(
                Severity::Error,
                "uploads-chunked",
                "config_kwargs",
                "With S3 V4 botocore 1.36 and newer sends uploads over https in chunks \
                 (aws-chunked), and OSS refuses every one.",
                corrected,
            );
            for (name, value) in settings {
                kwargs.config.shift_insert(0, (*name).to_owned(), json!(value));
            }
        }
        if checksum_settings {
            let (severity, text) = match newer {
                Some(true) => return uses,
                Some(false) => (
                    Severity::Error,
                    "The botocore that runs raises TypeError on the checksum settings: they came with 1.36.",
                ),
                None => (
                    Severity::Note,
                    "The checksum settings came with botocore 1.36: older ones raise TypeError on them.",
                ),
            };
            self.say(severity, "checksums-botocore", "config_kwargs", text);
        }
        // what is written now, where nothing was said
        let signature = if kwargs.config.get("signature_version") == Some(&json!("s3")) {
            Signature::V2
        } else {
            signature
        };
        Uses { signature, ..uses }
    }

    fn addressing(&mut self, kwargs: &mut Kwargs) {
        let error = Severity::Error;
        let (subject, corrected) =
            ("config_kwargs.s3.addressing_style", "\"s3\": {\"addressing_style\": \"virtual\"}");
        let inside = kwargs.config.get("s3").and_then(|s3| s3.get("addressing_style")).cloned();
        let outside = kwargs.config.shift_remove("addressing_style");
        let outside = outside.or_else(|| kwargs.client.shift_remove("addressing_style"));
        let outside =
            outside.or_else(|| kwargs.config.get("s3").filter(|s3| s3.is_string()).cloned());
        let refused = "OSS takes the bucket in front of the host only (virtual), and refuses \
                       the rest with SecondLevelDomainForbidden.";
        match (inside.as_ref().and_then(Value::as_str), outside) {
            (Some("virtual"), None) => return,
            (_, Some(_)) => {
                let meaning = "addressing_style stands in the wrong place: botocore reads it below s3 in config_kwargs.";
                self.mend(error, "addressing-misplaced", subject, meaning, corrected);
            }
            (None, None) => {
                let meaning = format!(
                    "Without addressing_style botocore puts the bucket into the path. {refused}"
                );
                self.mend(error, "addressing-missing", subject, &meaning, corrected);
            }
            (Some(style), None) => {
                let meaning = format!(
                    "addressing_style is {}: with an endpoint of one's own botocore then puts the \
                     bucket into the path. {refused}",
                    visible(style)
                );
                self.mend(error, "addressing-path", subject, &meaning, corrected);
            }
        }
        let s3 = kwargs.config.entry("s3").or_insert_with(|| json!({}));
        if !s3.is_object() {
            *s3 = json!({});
        }
        if let Some(s3) = s3.as_object_mut() {
            s3.insert("addressing_style".into(), json!("virtual"));
        }
    }

    fn signature_place(&mut self, kwargs: &mut Kwargs) {
        let below = kwargs.config.get_mut("s3").and_then(Value::as_object_mut);
        let outside = below.and_then(|s3| s3.shift_remove("signature_version"));
        let outside = outside.or_else(|| kwargs.client.shift_remove("signature_version"));
        let Some(outside) = outside else { return };
        self.mend(
            Severity::Error,
            "signature-misplaced",
            "config_kwargs.signature_version",
            "signature_version stands in the wrong place: botocore reads it in config_kwargs, beside s3.",
            "in config_kwargs",
        );
        if !kwargs.config.contains_key("signature_version") {
            kwargs.config.shift_insert(0, "signature_version".into(), outside);
        }
    }
}
