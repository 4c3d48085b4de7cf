//! A service made of a function, for those who use the gate as a library.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::proxy::Body;

/// A service that answers with what a function makes of a request.
#[derive(Clone, Debug)]
pub struct Function<F>(F);

/// Makes a service of `function`, fit to stand behind the gate.
pub const fn service<F, A>(function: F) -> Function<F>
where
    F: Fn(Request<Body>) -> A + Clone,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    Function(function)
}

impl<F, A> Service<Request<Body>> for Function<F>
where
    F: Fn(Request<Body>) -> A,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = (self.0)(request);
        Box::pin(async { Ok(answer.await) })
    }
}
