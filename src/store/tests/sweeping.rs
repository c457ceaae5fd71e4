use super::bench::*;
use super::on_both_engines;
use super::sessions::sign_in_often;
use crate::domain::{FailureRules, LinkPurpose};
use crate::store::{Counters as _, Sessions as _, SignIns as _, Upkeep as _, Users as _};

on_both_engines! {
    sweeping_removes_what_has_expired_and_nothing_else
    sweeping_goes_five_hundred_rows_at_a_time
    a_session_in_use_outlives_the_sweep
    checking_and_flushing_a_healthy_store_is_fine
}

async fn sweeping_removes_what_has_expired_and_nothing_else(bench: &Bench) {
    let (ann, rules) = (bench.add("ann").await, FailureRules::default());
    let lasting = bench.dump_of_today();
    bench.begin(&ann, NOW).await;
    bench.begin(&ann, later(100)).await;
    bench.sign_in(&ann, NOW).await;
    let reset = link(Some(&ann), LinkPurpose::NewPassword, later(50));
    bench.store.add_link(digest(), reset).await.unwrap();
    let _ = bench.store.charge([1; 32], None, &rules, HERE).await.unwrap();
    let counts = || (bench.count(b"l"), bench.count(b"p"), bench.count(b"s"), bench.count(b"f"));
    for (at, removed, left) in [
        (49, 0, (1, 2, 1, 1)),
        (50, 1, (0, 2, 1, 1)),
        (300, 1, (0, 1, 1, 1)),
        (400, 1, (0, 0, 1, 1)),
        (3599, 0, (0, 0, 1, 1)),
        (3600, 1, (0, 0, 0, 1)),
        (86_400, 1, (0, 0, 0, 0)),
    ] {
        assert_eq!(bench.store.sweep(later(at)).await.unwrap(), removed, "after {at} seconds");
        assert_eq!(counts(), left, "after {at} seconds");
    }
    assert_eq!(bench.dump_of_today(), lasting, "and no index row is left");
}

async fn sweeping_goes_five_hundred_rows_at_a_time(bench: &Bench) {
    let ann = bench.add("ann").await;
    sign_in_often(bench, &ann, 1100).await;
    for removed in [500, 500, 100, 0] {
        assert_eq!(bench.store.sweep(later(3600)).await.unwrap(), removed);
    }
    assert_eq!(bench.count(b"sixo"), 0);
}

async fn a_session_in_use_outlives_the_sweep(bench: &Bench) {
    let ann = bench.add("ann").await;
    sign_in_often(bench, &ann, 600).await;
    let (idle, _) = bench.sign_in(&ann, later(1)).await;
    let sessions = bench.store.sessions(None).await.unwrap();
    let seen = sessions.iter().filter(|(token, _)| *token != idle);
    bench.store.touch(seen.map(|(token, _)| (*token, later(3000))).collect()).await.unwrap();
    assert_eq!(bench.count(b"x"), 601, "touching leaves the index alone");
    assert_eq!(bench.store.sweep(later(4000)).await.unwrap(), 1, "the idle one, behind the others");
    assert_eq!(bench.store.sweep(later(4000)).await.unwrap(), 0);
    assert_eq!(bench.count(b"sx"), 1200);
    let mut gone = 0;
    while let removed @ 1.. = bench.store.sweep(later(6600)).await.unwrap() {
        gone += removed;
    }
    assert_eq!((gone, bench.count(b"sx")), (600, 0));
}

async fn checking_and_flushing_a_healthy_store_is_fine(bench: &Bench) {
    assert_eq!(bench.store.check().await, Ok(()));
    assert_eq!(bench.store.flush().await, Ok(()));
    assert!(bench.store.is_empty().await.unwrap());
}
