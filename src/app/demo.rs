//! The built-in demo page: an app like any other, behind the gateway like any other.

use super::wire;
use crate::config::Config;
use crate::domain::RouteKey;
use crate::http::Language;
use crate::portal::{Demo, demo_page};
use crate::proxy::{RouteSettings, UpstreamScheme, UpstreamUrl};
use crate::types::{Host, HostPattern};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The app, which listens on a port of its own on loopback.
pub(super) struct DemoApp {
    route: RouteSettings,
    page: Arc<ArcSwapOption<Demo>>,
}

impl DemoApp {
    /// Starts it.
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let page = Arc::new(ArcSwapOption::empty());
        tokio::spawn(serve(listener, Arc::clone(&page)));
        let host = Host::parse("127.0.0.1").map_err(|error| io::Error::other(error.to_string()))?;
        let upstream = UpstreamUrl::Tcp { host, port, scheme: UpstreamScheme::Http };
        let key = RouteKey { host: HostPattern::Any, path: String::from("/") };
        Ok(Self { route: RouteSettings::new(key, vec![upstream]), page })
    }

    /// The route that leads to it, in a gateway that is told this.
    pub(super) fn route(&self, config: &Config) -> RouteSettings {
        let (user, prefix) = (config.proxy.identity.user.clone(), config.site.prefix.clone());
        self.page.store(Some(Arc::new(Demo { user, prefix })));
        self.route.clone()
    }
}

async fn serve(listener: TcpListener, page: Arc<ArcSwapOption<Demo>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            wire::breathe().await;
            continue;
        };
        let page = Arc::clone(&page);
        tokio::spawn(wire::connection(stream, move |request| {
            let demo = page.load_full();
            std::future::ready(answer(demo.as_deref(), &request))
        }));
    }
}

fn answer(demo: Option<&Demo>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let page = |demo| demo_page(demo, request.method(), request.uri(), request.headers());
    let page = demo.map(page).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(page)));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let language = Language::of(request.headers()).tag();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    response
}
