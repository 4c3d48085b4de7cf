//! What a stack of services must be to be served.

use std::convert::Infallible;

use http::{Request, Response};
use tower_service::Service;

use super::Body;

/// A service that answers every request, wherever its worker runs it. For any
/// service that fits; not to be implemented.
pub trait Stack:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Stack for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}
