//! Literals of Python: what `str(dict)` leaves in ZenML's tables, and what people type in place
//! of JSON.

use serde_json::{Map, Value};

/// How deep a literal may nest; botocore's settings nest twice.
const MOST_DEEP: usize = 32;

/// The value that `text` writes as a dict, a list, a text, a number, `True`, `False` or `None`.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(MOST_DEEP)?;
    reader.blanks();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, mark: &str) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let deeper = depth.checked_sub(1)?;
        self.blanks();
        match self.rest.chars().next()? {
            '{' => self.dict(deeper),
            '[' => self.list("[", "]", deeper),
            '(' => self.list("(", ")", deeper),
            quote @ ('\'' | '"') => self.text(quote).map(Value::String),
            _ => self.word(),
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        self.takes("{");
        while !self.takes("}") {
            let Value::String(name) = self.value(depth)? else { return None };
            if !self.takes(":") {
                return None;
            }
            map.insert(name, self.value(depth)?);
            if !self.takes(",") {
                return self.takes("}").then_some(Value::Object(map));
            }
        }
        Some(Value::Object(map))
    }

    fn list(&mut self, open: &str, close: &str, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.takes(open);
        while !self.takes(close) {
            items.push(self.value(depth)?);
            if !self.takes(",") {
                return self.takes(close).then_some(Value::Array(items));
            }
        }
        Some(Value::Array(items))
    }

    fn text(&mut self, quote: char) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest.chars();
        chars.next();
        loop {
            match chars.next()? {
                '\\' => out.push(match chars.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    same @ ('\\' | '\'' | '"') => same,
                    _ => return None,
                }),
                c if c == quote => break,
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(out)
    }

    fn word(&mut self) -> Option<Value> {
        let ends = |c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c));
        let (word, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        match word {
            "True" | "true" => Some(Value::Bool(true)),
            "False" | "false" => Some(Value::Bool(false)),
            "None" | "null" => Some(Value::Null),
            number => number.parse().ok().map(Value::Number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_python_prints() {
        let text =
            r#" {'a': 'b', "it's": [1, 2.5, (True, None)], 'q': 'it\'s \\', 'e': {}, 'l': []} "#;
        let value =
            json!({ "a": "b", "it's": [1, 2.5, [true, null]], "q": "it's \\", "e": {}, "l": [] });
        assert_eq!(parse(text), Some(value));
    }

    #[test]
    fn refuses_everything_else() {
        for bad in
            ["", "{", "{'a'}", "{'a': }", "{a: 1}", "{'a': 1} x", "['a' 'b']", "'a", "f()", "'\\"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse(&"[".repeat(1_000_000)), None);
    }
}
