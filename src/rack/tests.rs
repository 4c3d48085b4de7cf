use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

/// One line of `tests/rack/vectors.jsonl`.
struct Vector {
    name: String,
    honest: bool,
    head: Parts,
    body: Vec<u8>,
    /// What each stack of real Rack and Rails answered.
    answers: Vec<(String, Json)>,
}

/// `TUSKGATE_VECTORS` names another file: random ones, by the hundred thousand.
fn vectors() -> Vec<Vector> {
    let path = std::env::var("TUSKGATE_VECTORS").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rack/vectors.jsonl").to_owned()
    });
    let file = std::fs::read_to_string(path).expect("the vectors are checked in");
    file.lines().map(vector).collect()
}

fn vector(line: &str) -> Vector {
    let json: Json = serde_json::from_str(line).expect("a vector is JSON");
    let text = |value: &Json| value.as_str().expect("a string").to_owned();
    let mut request = Request::builder()
        .method(json["method"].as_str().expect("a method"))
        .uri(json["target"].as_str().expect("a target"));
    for header in json["headers"].as_array().expect("headers") {
        request = request.header(text(&header[0]), text(&header[1]));
    }
    let body = match json["body64"].as_str() {
        Some(coded) => STANDARD.decode(coded).expect("base64"),
        None => text(&json["body"]).into_bytes(),
    };
    let answers = json["answers"].as_object().expect("answers");
    Vector {
        name: text(&json["name"]),
        honest: json["honest"].as_bool().expect("a truth"),
        head: request.body(()).expect("a request").into_parts().0,
        body,
        answers: answers.clone().into_iter().collect(),
    }
}

fn same(value: &Value, json: &Json) -> bool {
    match (value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Text(ours), Json::String(theirs)) => ours == theirs,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Json::Number(theirs)) => *ours == theirs.to_string(),
        (Value::List(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
        }
        (Value::Map(ours), Json::Object(_)) => same_params(ours, json),
        _ => false,
    }
}

fn same_params(ours: &Params, theirs: &Json) -> bool {
    theirs.as_object().is_some_and(|theirs| {
        let ours: Vec<_> = ours.iter().collect();
        ours.len() == theirs.len()
            && ours
                .iter()
                .all(|(key, value)| theirs.get(*key).is_some_and(|json| same(value, json)))
    })
}

/// What is wrong with our reading, if anything.
fn complaint(vector: &Vector) -> Option<String> {
    let read = match read(&vector.head, &vector.body) {
        Ok(read) => read,
        Err(fault) if vector.honest => return Some(format!("honest, refused: {fault}")),
        Err(_) => return None,
    };
    vector.answers.iter().find_map(|(stack, answer)| {
        let equal = answer["method"] == read.method.as_str()
            && same_params(&read.params, &answer["params"]);
        (!equal).then(|| format!("{stack} saw {answer}, the gate {read:?}"))
    })
}

#[test]
fn equal_to_every_rails_or_refused() {
    let vectors = vectors();
    assert!(vectors.len() >= 1000, "only {} vectors", vectors.len());
    let complaints: Vec<String> = vectors
        .iter()
        .filter_map(|vector| Some(format!("{}: {}", vector.name, complaint(vector)?)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let accepted = |vector: &&Vector| read(&vector.head, &vector.body).is_ok();
    let read = vectors.iter().filter(accepted).count();
    assert!(
        read * 4 >= vectors.len(),
        "only {read} of {} are read",
        vectors.len()
    );
}

#[test]
fn the_vectors_are_honest_too_and_not_all_from_one_stack() {
    let vectors = vectors();
    let count = |wanted: fn(&Vector) -> bool| vectors.iter().filter(|v| wanted(v)).count();
    let honest = count(|v| v.honest);
    assert!(honest >= 150, "only {honest} honest requests");
    let stacks: BTreeSet<&str> = vectors
        .iter()
        .flat_map(|v| v.answers.iter().map(|(stack, _)| stack.as_str()))
        .collect();
    assert!(stacks.contains("rails-6.1 rack-2.2"), "{stacks:?}");
    assert!(stacks.iter().any(|stack| stack.ends_with("rack-3.1")));
    assert!(vectors.iter().all(|v| v.answers.len() == stacks.len()));
}

fn post(content_type: &str) -> Parts {
    let request = Request::post("/auth?a=1").header("content-type", content_type);
    request.body(()).expect("a request").into_parts().0
}

#[test]
fn bounds() {
    let form = post("application/x-www-form-urlencoded");
    let too_long = read(&form, &vec![b'a'; MAX_BODY + 1]).expect_err("one over the bound");
    assert_eq!(too_long.unreadable, Unreadable::TooLarge);
    assert!(read(&form, &vec![b'a'; MAX_BODY]).is_ok());
    for (pairs, fits) in [(MAX_PAIRS, true), (MAX_PAIRS + 1, false)] {
        let body = vec!["b=1"; pairs].join("&");
        assert_eq!(read(&form, body.as_bytes()).is_ok(), fits, "{pairs} pairs");
    }
    for (depth, fits) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
        let body = format!("b{}=1", "[c]".repeat(depth - 1));
        assert_eq!(read(&form, body.as_bytes()).is_ok(), fits, "{depth} deep");
        let body = format!("{}1{}", "{\"b\":".repeat(depth), "}".repeat(depth));
        let json = post("application/json");
        assert_eq!(read(&json, body.as_bytes()).is_ok(), fits, "{depth} deep");
    }
}

#[test]
fn debug_shows_no_value() {
    let head = post("application/x-www-form-urlencoded");
    let read = read(&head, b"password=hunter2&user[x]=hunter2").expect("plain");
    assert!(!format!("{read:?}").contains("hunter2"));
}

const TYPES: [&str; 4] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=XX",
    "text/plain",
];

/// Pieces that requests are made of, so that random bodies get past the first byte.
const PIECES: [&str; 30] = [
    "--XX",
    "\r\n",
    "--",
    "Content-Disposition: form-data; name=\"",
    "\"",
    "email",
    "user",
    "[",
    "]",
    "[]",
    "=",
    "&",
    ";",
    "%",
    "%5B",
    "%ff",
    "+",
    "{",
    "}",
    ":",
    ",",
    "\"a\"",
    "1",
    "null",
    "\\u",
    "d800",
    "_method",
    "put",
    "\0",
    "ä",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..400), kind in 0..4_usize) {
        let _ = read(&post(TYPES[kind]), &body);
    }

    #[test]
    fn no_pieces_panic(body in pieces(), kind in 0..4_usize) {
        let _ = read(&post(TYPES[kind]), &body);
    }

    #[test]
    fn no_target_panics(query in "[ -~]{0,80}") {
        if let Ok(request) = Request::post(format!("/auth?{query}")).body(()) {
            let _ = read(&request.into_parts().0, b"");
        }
    }

    #[test]
    fn no_content_type_panics(value in prop::collection::vec(any::<u8>(), 0..40), body in pieces()) {
        let value = [b"multipart/form-data; boundary".as_slice(), &value].concat();
        if let Ok(value) = http::HeaderValue::from_bytes(&value) {
            let mut head = post("x/y");
            head.headers.insert("content-type", value);
            let _ = read(&head, &body);
        }
    }

    /// What a form says is what is read, however it is written.
    #[test]
    fn one_field_reads_alike_in_every_format(value in "\\PC{0,40}") {
        let coded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let form = read(&post(TYPES[0]), format!("user[email]={coded}").as_bytes())?;
        let json = serde_json::json!({ "user": { "email": value } }).to_string();
        let json = read(&post(TYPES[1]), json.as_bytes())?;
        let part = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"user[email]\"\r\n\r\n{value}\r\n--XX--\r\n"
        );
        prop_assert_eq!(&form, &json);
        if !value.contains("--XX") {
            prop_assert_eq!(&form, &read(&post(TYPES[2]), part.as_bytes())?);
        }
    }

    /// A mutated honest request is read without a panic.
    #[test]
    fn no_mutation_panics(which in any::<prop::sample::Index>(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut vector = which.get(&HONEST).clone();
        for (at, byte) in cuts {
            if !vector.1.is_empty() {
                let at = at.index(vector.1.len());
                vector.1[at] = byte;
            }
        }
        let _ = read(&vector.0, &vector.1);
    }
}

static HONEST: std::sync::LazyLock<Vec<(Parts, Vec<u8>)>> = std::sync::LazyLock::new(|| {
    let honest = vectors().into_iter().filter(|vector| vector.honest);
    honest.map(|vector| (vector.head, vector.body)).collect()
});
