//! Reading a reply along the way to the client.
//!
//! The reply passes unchanged while a bounded copy is kept to learn from. Most
//! replies have come whole with their head, and are passed on whole; the others
//! stream. Those are read to their end even when the client has left, so that
//! an attacker cannot switch learning off by hanging up.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use tokio::sync::{mpsc, oneshot};

use crate::mastodon::reply;
use crate::proxy::{Body, BodyError};

/// Frames that may wait for a slow client.
const WAITING: usize = 16;

/// How much of a reply is read for a client who has left.
const READ_ON: usize = 1 << 20;

type Given = Result<Frame<Bytes>, BodyError>;

/// Gives the client its answer, and `learn` the reply once it has all come. A
/// client who has left changes nothing.
pub(super) async fn pass_on<T>(
    response: Response<Body>,
    answer: oneshot::Sender<Response<Body>>,
    learn: impl FnOnce(StatusCode, &HeaderMap, reply::Body<'_>) -> T,
) -> T {
    let (parts, mut body) = response.into_parts();
    let mut kept = Kept::default();
    let next = match kept.take_what_came(&mut body).await {
        Came::All => {
            let learnt = learn(parts.status, &parts.headers, kept.body());
            let body = match (kept.bytes.is_empty(), body.size_hint().exact()) {
                (true, Some(1..)) => body, // it states a length all the same
                _ => kept.bytes.freeze().into(),
            };
            let _ = answer.send(Response::from_parts(parts, body));
            return learnt;
        }
        Came::Part(next) => next,
    };
    let (status, headers) = (parts.status, parts.headers.clone());
    let (client, mut rest) = Body::channel(WAITING);
    if !kept.bytes.is_empty() {
        rest = rest.after(Frame::data(kept.bytes.clone().freeze()));
    }
    let _ = answer.send(Response::from_parts(parts, rest));
    kept.stream(next, body, client).await;
    learn(status, &headers, kept.body())
}

/// What was kept of a reply.
#[derive(Default)]
struct Kept {
    bytes: BytesMut,
    cut: bool,
}

/// How much of a body has come.
enum Came {
    All,
    /// And what came that is not kept: trailers, or how it broke off.
    Part(Option<Given>),
}

impl Kept {
    fn body(&self) -> reply::Body<'_> {
        match self.cut {
            true => reply::Body::Cut(&self.bytes),
            false => reply::Body::Whole(&self.bytes),
        }
    }

    /// Keeps what need not be waited for, not much more than [`reply::BOUND`] of it.
    async fn take_what_came(&mut self, body: &mut Body) -> Came {
        while self.bytes.len() <= reply::BOUND {
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut *body).poll_frame(cx)));
            match polled.await {
                Poll::Pending => break,
                Poll::Ready(None) => return Came::All,
                Poll::Ready(Some(Err(broken))) => return Came::Part(Some(Err(broken))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(chunk) => self.bytes.extend_from_slice(&chunk),
                    Err(tail) => return Came::Part(Some(Ok(tail))),
                },
            }
        }
        Came::Part(None)
    }

    /// Moves the rest to the client frame by frame, `next` first.
    async fn stream(
        &mut self,
        mut next: Option<Given>,
        mut body: Body,
        client: mpsc::Sender<Given>,
    ) {
        let mut client = Some(client);
        let mut read = self.bytes.len();
        self.cut = read > reply::BOUND;
        self.bytes.truncate(reply::BOUND);
        loop {
            let frame = match next.take() {
                Some(frame) => frame,
                None => match body.frame().await {
                    Some(frame) => frame,
                    None => return,
                },
            };
            if let Some(chunk) = frame.as_ref().ok().and_then(Frame::data_ref) {
                read += chunk.len();
                self.keep(chunk);
            }
            let broken = frame.is_err();
            if broken {
                // hyper drops what it has not written yet when a body fails: the
                // client's connection first gets to write what came before.
                tokio::task::yield_now().await;
            }
            if let Some(open) = client.take() {
                client = open.send(frame).await.ok().map(|()| open);
            }
            if broken || (client.is_none() && read > READ_ON) {
                self.cut = true;
                return;
            }
        }
    }

    fn keep(&mut self, chunk: &Bytes) {
        let room = reply::BOUND.saturating_sub(self.bytes.len());
        let kept = chunk.get(..room).unwrap_or(chunk);
        self.cut |= kept.len() < chunk.len();
        self.bytes.extend_from_slice(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Given {
        Ok(Frame::data(Bytes::copy_from_slice(text.as_bytes())))
    }

    fn tail() -> Given {
        let mut trailers = HeaderMap::new();
        trailers.insert("digest", http::HeaderValue::from_static("abc"));
        Ok(Frame::trailers(trailers))
    }

    /// What was learned from a body: its bytes, and whether those are all.
    type Learnt = (Vec<u8>, bool);

    /// Passes on a reply of which `early` has come with its head and `late` comes
    /// after the client has its answer; what the client got, and what was learned.
    async fn passed_on(early: Vec<Given>, late: Vec<Given>) -> (Vec<String>, Learnt) {
        let (given, body) = Body::channel(64);
        for frame in early {
            given.send(frame).await.expect("room");
        }
        let waits = !late.is_empty();
        let given = waits.then_some(given);
        let (answer, answered) = oneshot::channel::<Response<Body>>();
        let client = async {
            let mut body = answered.await.expect("an answer").into_body();
            for frame in late {
                let given = given.as_ref().expect("open");
                given.send(frame).await.expect("room");
            }
            drop(given);
            let mut got = Vec::new();
            while let Some(frame) = body.frame().await {
                got.push(match frame {
                    Ok(frame) if frame.is_data() => {
                        let data = frame.into_data().expect("data");
                        String::from_utf8_lossy(&data).into_owned()
                    }
                    other => format!("{other:?}"),
                });
            }
            got
        };
        let response = Response::new(body);
        let learning = pass_on(response, answer, |_, _, body| match body {
            reply::Body::Whole(bytes) => (bytes.to_vec(), true),
            reply::Body::Cut(bytes) => (bytes.to_vec(), false),
        });
        tokio::join!(client, learning)
    }

    #[tokio::test]
    async fn the_client_and_the_lesson_get_the_same_bytes_however_they_come() {
        let whole = || (b"onetwo".to_vec(), true);
        let at_once = passed_on(vec![data("one"), data("two")], vec![]).await;
        assert_eq!(at_once, (vec!["onetwo".into()], whole()), "in one piece");
        let later = passed_on(vec![], vec![data("one"), data("two")]).await;
        assert_eq!(later, (vec!["one".into(), "two".into()], whole()));
        let half = passed_on(vec![data("one")], vec![data("two")]).await;
        assert_eq!(half, (vec!["one".into(), "two".into()], whole()));
        let ends = format!("{:?}", tail());
        let tailed = passed_on(vec![data("onetwo"), tail()], vec![]).await;
        assert_eq!(tailed, (vec!["onetwo".into(), ends], whole()));
        let nothing = passed_on(vec![], vec![]).await;
        assert_eq!(nothing, (vec![], (vec![], true)));
    }

    #[tokio::test]
    async fn what_breaks_off_breaks_off_for_both() {
        let broken = || Err(BodyError::RequestStalled);
        for (early, late) in [
            (vec![data("one"), broken()], vec![]),
            (vec![data("one")], vec![broken()]),
        ] {
            let (got, learnt) = passed_on(early, late).await;
            assert_eq!(got, ["one".into(), format!("{:?}", broken())]);
            assert_eq!(learnt, (b"one".to_vec(), false));
        }
    }

    #[tokio::test]
    async fn of_a_long_reply_the_client_gets_all_and_the_lesson_its_beginning() {
        let part = "x".repeat(reply::BOUND / 4);
        let parts = |count| (0..count).map(|_| data(&part)).collect::<Vec<_>>();
        for (early, late) in [(4, 0), (5, 0), (9, 0), (0, 9), (3, 4)] {
            let (got, (kept, all)) = passed_on(parts(early), parts(late)).await;
            let length = (early + late) * part.len();
            assert_eq!(got.concat().len(), length);
            assert_eq!(kept.len(), length.min(reply::BOUND));
            assert_eq!(all, length <= reply::BOUND);
        }
    }

    #[tokio::test]
    async fn a_client_who_has_left_changes_no_lesson() {
        for late in [false, true] {
            let (given, body) = Body::channel(4);
            let (answer, answered) = oneshot::channel();
            drop(answered);
            let mut given = Some(given);
            if !late {
                let early = given.take().expect("open");
                early.try_send(data("all")).expect("room");
            }
            let sending = async {
                if let Some(late) = given {
                    late.send(data("all")).await.expect("room");
                }
            };
            let response = Response::new(body);
            let learning = pass_on(response, answer, |_, _, body| {
                assert_eq!(body, reply::Body::Whole(b"all"));
            });
            tokio::join!(learning, sending);
        }
    }
}
