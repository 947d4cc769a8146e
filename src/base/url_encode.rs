//! Percent encoding as S3 signs it: only `A-Z a-z 0-9 - . _ ~` stay.

/// Encodes a path, keeping `/`. Nothing is normalised: `a//b` and `./x` stay.
pub fn path(text: &str) -> String {
    encode(text.as_bytes(), true)
}

/// Encodes one query name or value.
pub fn query(text: &str) -> String {
    encode(text.as_bytes(), false)
}

fn encode(bytes: &[u8], keep_slash: bool) -> String {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut out = String::with_capacity(bytes.len() + 8);
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if keep_slash => out.push('/'),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.extend(HEX.get(usize::from(nibble)));
                }
            }
        }
    }
    out
}

/// Decodes `%XX`; `+` stays a plus. Bytes of a broken escape stay as they are.
pub fn decode_bytes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        let escape = match (byte, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            out.push(high << 4 | low);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            out.push(*byte);
            rest = tail;
        }
    }
    out
}

/// [`decode_bytes`] where the result must be UTF-8.
pub fn decode(text: &str) -> Option<String> {
    String::from_utf8(decode_bytes(text.as_bytes())).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_slash_of_a_path_only() {
        assert_eq!(path("a b/中+%"), "a%20b/%E4%B8%AD%2B%25");
        assert_eq!(query("a/b=c"), "a%2Fb%3Dc");
    }

    #[test]
    fn a_broken_escape_stays() {
        assert_eq!(decode("100%"), Some("100%".into()));
        assert_eq!(decode("%zz%41"), Some("%zzA".into()));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in any::<String>()) {
            prop_assert_eq!(decode(&path(&text)), Some(text.clone()));
            prop_assert_eq!(decode(&query(&text)), Some(text));
        }
    }
}
