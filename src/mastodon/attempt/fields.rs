//! A hash of parameters, asked for single keys in the kinds that matter.
//!
//! Absent and null are the same, as in `params[:key]`. A boolean is no text:
//! the model would make `t` or `f` of it. `permit(:email)` also lets Rails'
//! multi-parameter keys `email(1i)` through, which no form of these doors has.

use crate::rack::{Fault, Params, Value};
use crate::secret::Secret;

/// Either all parameters or those in a hash such as `user`; `None` if it is absent.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(Option<&'a Params>);

const KIND: Fault = Fault::malformed("a parameter that matters is of a kind that nobody sends");

impl<'a> Fields<'a> {
    pub(super) const fn top(params: &'a Params) -> Self {
        Self(Some(params))
    }

    /// The hash under `key`. A null or scalar there is refused: Rails versions
    /// answer it differently.
    pub(super) fn within(self, key: &'a str) -> Result<Self, Fault> {
        match self.look(key)? {
            None => Ok(Self(None)),
            Some(Value::Map(params)) => Ok(Self(Some(params))),
            Some(_) => Err(KIND),
        }
    }

    /// Text as it was sent: for ids and secrets, which are compared byte by byte
    /// and always ASCII (Ruby and Rust need not agree on what else is blank).
    pub(super) fn text(self, key: &'a str) -> Result<Option<&'a str>, Fault> {
        match self.look(key)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) if text.is_ascii() => Ok(Some(text)),
            Some(_) => Err(KIND),
        }
    }

    /// Text, or a JSON number as text: for what is stored in a text column.
    pub(super) fn scalar(self, key: &'a str) -> Result<Option<String>, Fault> {
        match self.look(key)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text) | Value::Number(text)) => Ok(Some(text.clone())),
            Some(_) => Err(KIND),
        }
    }

    /// Text, or a list of texts: as one list.
    pub(super) fn texts(self, key: &'a str) -> Result<Vec<&'a str>, Fault> {
        let text = |value: &'a Value| match value {
            Value::Text(text) => Ok(text.as_str()),
            _ => Err(KIND),
        };
        match self.look(key)? {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(list)) => list.iter().map(text).collect(),
            Some(value) => text(value).map(|text| vec![text]),
        }
    }

    /// Text that is a secret; empty is none.
    pub(super) fn secret(self, key: &'a str) -> Result<Option<Secret>, Fault> {
        let text = self.text(key)?.filter(|text| !text.is_empty());
        Ok(text.map(Secret::new))
    }

    fn look(self, key: &'a str) -> Result<Option<&'a Value>, Fault> {
        let Some(params) = self.0 else {
            return Ok(None);
        };
        let mut found = None;
        for (name, value) in params.beginning(key) {
            match name.as_bytes().get(key.len()) {
                None => found = Some(value),
                Some(b'(') => return Err(Fault::malformed("a multi-parameter key")),
                Some(_) => {}
            }
        }
        Ok(found)
    }
}
