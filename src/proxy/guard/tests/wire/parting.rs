//! Whoever is to give way, and takes what they are owed bit by bit.

use super::*;

/// Asks for something large over HTTP/2, with room for all of it, and takes it bit by bit; how much
/// came, and whether the gateway ended it.
async fn sip(house: &House, until: impl Fn(usize, Duration) -> bool) -> (usize, bool) {
    let mut socket = house.connect().await;
    // The preface; SETTINGS and WINDOW_UPDATE with the largest window; HEADERS of one GET.
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend_from_slice(b"\0\0\x06\x04\0\0\0\0\0\0\x04\x7f\xff\xff\xff");
    bytes.extend_from_slice(b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\0\0");
    bytes.extend_from_slice(b"\0\0\x0d\x01\x05\0\0\0\x01\x82\x86\x44\x06/large\x41\x01a");
    socket.write_all(&bytes).await.unwrap();
    let (mut came, since, mut buffer) = (0, Instant::now(), vec![0; 64 * 1024]);
    while until(came, since.elapsed()) {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return (came, true),
            Ok(n) => came += n,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (came, false)
}

#[tokio::test]
async fn taking_a_little_now_and_then_keeps_no_place_that_others_need() {
    let house = house(|settings| settings.parting = Duration::from_millis(300)).await;
    // As long as nobody needs the place, the client may take its time.
    let (_, ended) = sip(&house, |_, lasted| lasted < Duration::from_millis(900)).await;
    assert!(!ended, "it was cut off for nothing");
    house.ends_within_a_second().await;
    let giving_way = |came, lasted| {
        if came > 0 {
            house.controls.lock().unwrap().last().unwrap().give_way();
        }
        lasted < Duration::from_secs(20)
    };
    let (came, ended) = sip(&house, giving_way).await;
    assert!(ended && came < LARGE, "{came} bytes came, ended: {ended}");
}
