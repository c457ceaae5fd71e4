//! Bodies over HTTP/2 that stand still.
//!
//! Over HTTP/1 the guard says for how long a body may. Over HTTP/2 many share a connection, and the
//! engine waits for the body of each without end. So a request that has one is served under a
//! watch, which lets go of it, and of no other, when nothing has moved for too long. Once the app
//! answers, how long the rest may take is for the app to say, as with every stream.

use super::door::Door;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long a body may stand still, here and under the guard.
pub(super) const STANDSTILL: Duration = Duration::from_secs(60);

tokio::task_local! {
    /// Since when the body of this request stands still, where that matters.
    static SINCE: Cell<Option<Instant>>;
}

/// The engine, with an eye on bodies.
pub(super) struct Watched(pub(super) Arc<HttpProxy<Door>>);

/// What the engine does with a request.
type Serving<'a> = Pin<Box<dyn Future<Output = Option<ReusedHttpStream>> + Send + 'a>>;

impl HttpServerApp for Watched {
    // Written out, so that requests which are not watched are served in the engine's own box.
    fn process_new_http<'a, 'b, 'all>(
        self: &'a Arc<Self>,
        mut session: ServerSession,
        shutdown: &'b ShutdownWatch,
    ) -> Serving<'all>
    where
        'a: 'all,
        'b: 'all,
        Self: 'all,
    {
        let is_watched = session.is_http2() && !session.is_body_empty();
        let serving = self.0.process_new_http(session, shutdown);
        if is_watched { Box::pin(watch(serving)) } else { serving }
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.0.server_options()
    }
}

/// Whether this request is watched.
pub(super) fn is_watched() -> bool {
    SINCE.try_with(|_| ()).is_ok()
}

/// From now on the body is waited for.
pub(super) fn begin() {
    let _ = SINCE.try_with(|since| since.set(Some(Instant::now())));
}

/// Something of it came.
pub(super) fn moved() {
    let _ = SINCE.try_with(|since| since.set(since.get().map(|_| Instant::now())));
}

/// It came whole, or it does not matter any more.
pub(super) fn over() {
    let _ = SINCE.try_with(|since| since.set(None));
}

/// Whether it was waited for in vain.
pub(super) fn is_overdue() -> bool {
    let since = SINCE.try_with(Cell::get).ok().flatten();
    since.is_some_and(|since| since.elapsed() >= STANDSTILL)
}

/// Drives a request to its end, or until its body has stood still for too long.
async fn watch<T: Default>(serving: impl Future<Output = T>) -> T {
    let watched = async {
        let mut serving = pin!(serving);
        let mut timer = pin!(sleep_until(Instant::now()));
        poll_fn(|cx| {
            // First, since it may say that something has moved.
            if let Poll::Ready(done) = serving.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            let Some(since) = SINCE.with(Cell::get) else { return Poll::Pending };
            timer.as_mut().reset(since + STANDSTILL);
            ready!(timer.as_mut().poll(cx));
            Poll::Ready(T::default())
        })
        .await
    };
    SINCE.scope(Cell::new(None), watched).await
}
