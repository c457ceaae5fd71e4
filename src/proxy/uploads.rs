//! Bodies over HTTP/2 that stand still.
//!
//! Over HTTP/1 the guard says for how long a body may. Over HTTP/2 many share a connection, and the
//! engine waits for the body of each without end. So a request that has one is served under a
//! watch, which lets go of it, and of no other, when nothing has moved for too long. Once the app
//! answers, both directions may rest for longer; once it has answered, nobody needs the rest.

use super::door::Door;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{H2Options, default_h2_options};
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

/// How long both directions may, while the app answers what has not come whole.
const TALK: Duration = Duration::from_secs(300);

/// How long the rest of a body may take that has been answered.
const REST: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// How long something on this request may stand still, and until when it may; none where
    /// nothing is to come.
    static UNTIL: Cell<Option<(Duration, Instant)>>;
}

/// The engine, with an eye on bodies.
pub(super) struct Watched {
    engine: Arc<HttpProxy<Door>>,
    streams: u32,
}

impl Watched {
    /// So many requests may be under way on one connection.
    pub(super) fn new(engine: HttpProxy<Door>, streams: u32) -> Self {
        Self { engine: Arc::new(engine), streams }
    }
}

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
        let serving = self.engine.process_new_http(session, shutdown);
        if is_watched { Box::pin(watch(serving)) } else { serving }
    }

    fn h2_options(&self) -> Option<H2Options> {
        let mut options = default_h2_options();
        options.max_concurrent_streams(self.streams);
        Some(options)
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.engine.server_options()
    }
}

/// Whether this request is watched.
pub(super) fn is_watched() -> bool {
    UNTIL.try_with(|_| ()).is_ok()
}

/// From now on the body is waited for.
pub(super) fn begin() {
    let _ = UNTIL.try_with(|until| until.set(Some((STANDSTILL, Instant::now() + STANDSTILL))));
}

/// Something came, or went.
pub(super) fn moved() {
    wait(|limit| limit);
}

/// The app begins to answer.
pub(super) fn answering() {
    wait(|_| TALK);
}

/// The app has answered.
pub(super) fn answered() {
    wait(|_| REST);
}

/// The body came whole.
pub(super) fn over() {
    let _ = UNTIL.try_with(|until| until.set(None));
}

/// Goes on waiting, if that is so. What has been answered is waited for no longer than once.
fn wait(limit: impl FnOnce(Duration) -> Duration) {
    let _ = UNTIL.try_with(|until| match until.get() {
        Some((before, _)) if before != REST => {
            let limit = limit(before);
            until.set(Some((limit, Instant::now() + limit)));
        }
        _ => {}
    });
}

/// Drives a request to its end, or until it has stood still for too long.
async fn watch<T: Default>(serving: impl Future<Output = T>) -> T {
    let watched = async {
        let mut serving = pin!(serving);
        let mut timer = pin!(sleep_until(Instant::now()));
        poll_fn(|cx| {
            // First, since it may say that something has moved.
            if let Poll::Ready(done) = serving.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            let Some((_, until)) = UNTIL.with(Cell::get) else { return Poll::Pending };
            timer.as_mut().reset(until);
            ready!(timer.as_mut().poll(cx));
            Poll::Ready(T::default())
        })
        .await
    };
    UNTIL.scope(Cell::new(None), watched).await
}
