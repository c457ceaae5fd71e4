//! One contract, run on every engine; and what only the engine on disk must show.

mod account;
mod bench;
mod damage;
mod disk;
mod full_disk;
mod inside;
mod once;
mod people;
mod secrets;
mod sessions;
mod sweeping;
mod telling;
mod trail;
mod whole;

/// Runs each of these scenarios on both engines.
macro_rules! on_both_engines {
    ($($name:ident)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::store::tests::bench::Bench::in_memory()).await;
            })*
        }
        mod on_sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::store::tests::bench::Bench::on_sled()).await;
            })*
        }
    };
}
use on_both_engines;
