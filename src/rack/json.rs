//! JSON bodies.
//!
//! By `serde_json`, because its grammar (RFC 8259, no more) lies inside every
//! grammar that Ruby's `json` has accepted, and what both accept they read
//! alike: comments, byte order marks, `NaN`, lone surrogates, `\q`, raw control
//! characters, trailing text and a second document are errors, bytes must be
//! UTF-8. Two things it would smooth over are caught in the visitor: a key given
//! twice (last wins today, json 3 refuses it) and every number that is not an
//! integer of 64 bits, since Ruby prints floats and large exponents its own way.
//!
//! A root that is no object becomes `_json`, as in Rails. Keys are not expanded.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Fault, MAX_DEPTH, MAX_PAIRS, Params, Value};

/// Reads a whole body, which must not be empty.
pub(super) fn read(body: &[u8]) -> Result<Params, Fault> {
    let left = Cell::new(MAX_PAIRS);
    let mut source = serde_json::Deserializer::from_slice(body);
    let node = Node {
        depth: MAX_DEPTH,
        left: &left,
    };
    let root = node
        .deserialize(&mut source)
        .and_then(|root| source.end().map(|()| root))
        .map_err(|_| Fault::malformed("not the plain JSON that every Rails reads alike"))?;
    Ok(match root {
        Value::Map(params) => params,
        other => {
            let mut params = Params::default();
            params.insert("_json".to_owned(), other);
            params
        }
    })
}

/// One value on its way in, with what is left of the bounds.
#[derive(Clone, Copy)]
struct Node<'a> {
    depth: usize,
    left: &'a Cell<usize>,
}

impl Node<'_> {
    fn child<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth, ..self })
    }

    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without floats")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let child = self.child()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(child)? {
            self.count()?;
            if item == Value::Null {
                return Err(Error::custom("a null in a list"));
            }
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let child = self.child()?;
        let mut params = Params::default();
        while let Some(key) = members.next_key::<String>()? {
            self.count()?;
            if params.get(&key).is_some() {
                return Err(Error::custom("a key twice"));
            }
            let value = members.next_value_seed(child)?;
            params.insert(key, value);
        }
        Ok(Value::Map(params))
    }
}
