//! The last words on a refused connection: one small answer, then a short, bounded listening.
//!
//! Closing a socket with unread bytes in it makes the kernel send a reset, which may overtake the
//! answer. So the sending side is closed first and what still comes in is thrown away for a while.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pingora::protocols::Stream;
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};

use super::deadline::{Deadline, Wait};
use crate::proxy::hygiene::Refusal;

/// How long a refused client is listened to.
const LINGER: Duration = Duration::from_secs(2);
/// How much of it.
const LINGER_BYTES: usize = 256 * 1024;

#[derive(Debug)]
enum Stage {
    Write(usize),
    Flush,
    Shutdown,
    Drain(usize),
    Close,
    Done,
}

/// The end of a connection, in progress.
#[derive(Debug)]
pub(super) struct Farewell {
    answer: Vec<u8>,
    stage: Stage,
}

impl Farewell {
    /// Says why, then listens.
    pub(super) fn refusing(refusal: Refusal) -> Self {
        Self { answer: render(refusal), stage: Stage::Write(0) }
    }

    /// Listens only: the answer is out and the sending side closed.
    pub(super) const fn listening() -> Self {
        Self { answer: Vec::new(), stage: Stage::Drain(LINGER_BYTES) }
    }

    /// Says that nothing more is said.
    pub(super) const fn closing() -> Self {
        Self { answer: Vec::new(), stage: Stage::Close }
    }

    /// Nothing can be said any more.
    pub(super) const fn silent() -> Self {
        Self { answer: Vec::new(), stage: Stage::Done }
    }

    /// Ready when the socket may be closed.
    pub(super) fn poll(
        &mut self,
        inner: &mut BufWriter<Stream>,
        deadline: &mut Deadline,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while !matches!(self.stage, Stage::Done) {
            match self.step(inner, cx) {
                Poll::Ready(Some(stage)) => self.stage = stage,
                Poll::Ready(None) => self.stage = Stage::Done,
                Poll::Pending => {
                    ready!(deadline.poll(cx, Wait::Linger, LINGER));
                    self.stage = Stage::Done;
                }
            }
        }
        Poll::Ready(())
    }

    /// One move; `None` when something failed and nothing more is worth doing.
    fn step(&self, inner: &mut BufWriter<Stream>, cx: &mut Context<'_>) -> Poll<Option<Stage>> {
        let mut inner = Pin::new(inner);
        let next = match self.stage {
            Stage::Write(at) => match self.answer.get(at..) {
                Some(rest) if !rest.is_empty() => match ready!(inner.poll_write(cx, rest)) {
                    Ok(0) | Err(_) => None,
                    Ok(n) => Some(Stage::Write(at + n)),
                },
                _ => Some(Stage::Flush),
            },
            Stage::Flush => ready!(inner.as_mut().poll_flush(cx)).ok().map(|()| Stage::Shutdown),
            Stage::Shutdown => {
                ready!(inner.as_mut().poll_shutdown(cx)).ok().map(|()| Stage::Drain(LINGER_BYTES))
            }
            Stage::Drain(left) => {
                let mut scratch = [std::mem::MaybeUninit::uninit(); 4096];
                let mut scratch = ReadBuf::uninit(&mut scratch);
                match ready!(inner.poll_read(cx, &mut scratch)) {
                    Ok(()) if !scratch.filled().is_empty() => {
                        left.checked_sub(scratch.filled().len()).map(Stage::Drain)
                    }
                    _ => None,
                }
            }
            Stage::Close => ready!(inner.as_mut().poll_shutdown(cx)).ok().map(|()| Stage::Done),
            Stage::Done => None,
        };
        Poll::Ready(next)
    }
}

/// A complete answer; nothing of the request is in it.
fn render(refusal: Refusal) -> Vec<u8> {
    let allow = if refusal.status() == 405 {
        "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
    } else {
        ""
    };
    let sentence = refusal.sentence();
    format!(
        "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n{allow}\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{sentence}\n",
        refusal.status(),
        refusal.phrase(),
        sentence.len() + 1,
    )
    .into_bytes()
}
