//! The built-in demo page: an app like any other, behind the gateway like any other.

use super::wire;
use crate::domain::RouteKey;
use crate::http::Language;
use crate::portal::{Demo, demo_page};
use crate::proxy::{RouteSettings, UpstreamScheme, UpstreamUrl};
use crate::types::{Host, HostPattern};
use bytes::Bytes;
use http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, VARY};
use http::{HeaderValue, Response};
use http_body_util::Full;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Starts the app on a port of its own on loopback; the route that leads to it.
pub(super) async fn start(demo: Demo) -> io::Result<RouteSettings> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let demo = Arc::new(demo);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                wire::breathe().await;
                continue;
            };
            let demo = Arc::clone(&demo);
            tokio::spawn(wire::connection(stream, move |request| {
                let page = demo_page(&demo, request.method(), request.uri(), request.headers());
                let mut response = Response::new(Full::new(Bytes::from(page)));
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                let language = Language::of(request.headers()).tag();
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, html);
                headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language));
                headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
                std::future::ready(response)
            }));
        }
    });
    let host = Host::parse("127.0.0.1").map_err(|error| io::Error::other(error.to_string()))?;
    let upstream = UpstreamUrl::Tcp { host, port, scheme: UpstreamScheme::Http };
    let key = RouteKey { host: HostPattern::Any, path: String::from("/") };
    Ok(RouteSettings::new(key, vec![upstream]))
}
