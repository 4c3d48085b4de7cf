//! The three formats in which clients of Mastodon send parameters.

use http::HeaderValue;

use super::cast::Format;

const BOUNDARY: &str = "----tuskgate-demo-7MA4YWxkTrZu0gW";

/// The content type and the body.
pub(super) fn encode(format: Format, fields: &[(&str, &str)]) -> (HeaderValue, Vec<u8>) {
    match format {
        Format::Form => {
            let pairs = fields.iter().map(|(key, value)| {
                let (key, value) = (escape(key), escape(value));
                format!("{key}={value}")
            });
            let body = pairs.collect::<Vec<_>>().join("&");
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            (kind, body.into_bytes())
        }
        Format::Json => {
            let object: serde_json::Map<_, _> = fields
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).into()))
                .collect();
            let kind = HeaderValue::from_static("application/json");
            (
                kind,
                serde_json::Value::Object(object).to_string().into_bytes(),
            )
        }
        Format::Multipart => {
            let mut body = String::new();
            for (key, value) in fields {
                body.push_str(&format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n"
                ));
            }
            body.push_str(&format!("--{BOUNDARY}--\r\n"));
            let kind = format!("multipart/form-data; boundary={BOUNDARY}");
            let kind = HeaderValue::from_str(&kind).expect("the boundary is visible ASCII");
            (kind, body.into_bytes())
        }
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_carries_the_same_fields() {
        let fields = [("user[email]", "a+b@c.example"), ("agreement", "true")];
        let text = |format| String::from_utf8(encode(format, &fields).1).expect("text");
        assert_eq!(
            text(Format::Form),
            "user%5Bemail%5D=a%2Bb%40c.example&agreement=true"
        );
        assert_eq!(
            text(Format::Json),
            r#"{"agreement":"true","user[email]":"a+b@c.example"}"#
        );
        let multipart = text(Format::Multipart);
        assert!(multipart.contains("name=\"user[email]\"\r\n\r\na+b@c.example\r\n"));
        assert!(multipart.ends_with("--\r\n"));
    }
}
