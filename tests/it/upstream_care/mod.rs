//! How apps are watched, waited for and trusted, and what they are told of a request.

mod bodies;
mod health;
mod names;
mod paths;
mod patience;
mod retries;
mod tls;

use crate::harness::{App, House, Options, connect};
use std::io::{BufReader, Write as _};
use std::net::TcpStream;

/// A route for every host with further keys.
fn route(upstreams: &[String], keys: &str) -> Options {
    let upstreams = format!("host = \"*\"\nupstream = {upstreams:?}\n");
    Options::default().config(&format!("[[route]]\n{upstreams}{keys}\n"))
}

/// Around this app, with further keys for its route.
fn house(app: App, keys: &str) -> House {
    let options = route(&[app.url()], keys);
    House::with(app, options)
}

/// Sends a request as Ann and leaves the connection open.
fn open(house: &House, request: &str) -> BufReader<TcpStream> {
    let mut stream = connect(house.gateway.address);
    stream.write_all(&house.fill(request.as_bytes())).unwrap();
    BufReader::new(stream)
}
