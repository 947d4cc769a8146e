//! Logs as `ZenML` writes them: one JSON object a line, `level` in Python's numbers.

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::uuid;
use crate::ports::entropy::SeededEntropy;

const DEBUG: u8 = 10;
const INFO: u8 = 20;
const WARNING: u8 = 30;
const ERROR: u8 = 40;

#[derive(Serialize)]
struct Line<'a> {
    message: &'a str,
    name: &'a str,
    level: u8,
    timestamp: String,
    chunk_index: u32,
    total_chunks: u32,
    id: String,
}

/// The log of a step that went well.
pub(super) fn step(entropy: &SeededEntropy, step: &str, from: OffsetDateTime) -> String {
    let lines = [
        (INFO, format!("Step `{step}` has started.")),
        (DEBUG, "Using the default materializer for 1 of the outputs.".to_owned()),
        (
            INFO,
            "Read 240 rows, 6 columns; cities: Hangzhou, Frankfurt, São Paulo, 上海 …".to_owned(),
        ),
        (WARNING, "71 rows have no tip: the column is not used as a feature.".to_owned()),
        (INFO, format!("Step `{step}` has finished in `12.4s`.")),
    ];
    write(entropy, step, from, &lines)
}

/// The log of a run.
pub(super) fn run(
    entropy: &SeededEntropy,
    pipeline: &str,
    from: OffsetDateTime,
    failed: bool,
) -> String {
    let mut lines = vec![
        (INFO, format!("Initiating a new run for the pipeline: `{pipeline}`.")),
        (INFO, format!("Registered new pipeline: `{pipeline}`.")),
        (INFO, "Using a stack with artifact store `alibaba_store`.".to_owned()),
    ];
    if failed {
        lines.push((
            ERROR,
            "Failed to run step `compare`: ValueError: window is empty\nTraceback (most recent call last):\n  File \"run.py\", line 31, in compare\n    raise ValueError(\"window is empty\")".to_owned(),
        ));
        lines.push((ERROR, format!("Pipeline run `{pipeline}` failed.")));
    } else {
        lines.push((INFO, "Pipeline run has finished in `4m 42s`.".to_owned()));
    }
    write(entropy, "zenml", from, &lines)
}

fn write(
    entropy: &SeededEntropy,
    name: &str,
    from: OffsetDateTime,
    lines: &[(u8, String)],
) -> String {
    let mut log = String::new();
    let mut when = from;
    for (level, message) in lines {
        when += Duration::milliseconds(870);
        let line = Line {
            message,
            name,
            level: *level,
            timestamp: when.format(&Rfc3339).unwrap_or_default(),
            chunk_index: 0,
            total_chunks: 1,
            id: uuid(entropy),
        };
        // a struct of texts and numbers always has a JSON form
        log.push_str(&serde_json::to_string(&line).unwrap_or_default());
        log.push('\n');
    }
    log
}
