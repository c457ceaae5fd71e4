//! Where lines gather, and the thread that writes them.
//!
//! Every thread that logs has a page of its own and writes its lines there in place; the thread
//! behind takes the pages again and again and writes each with one call. So a line costs the
//! request no allocation, no queue that all threads share, and no system call. Lines of one thread
//! keep their order; those of several come a page at a time.

use super::line::{Format, Level, Line};
use crate::types::Timestamp;
use std::cell::Cell;
use std::io::Write;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// Pages there are; threads beyond that share.
const PAGES: usize = 16;

/// How much may wait on one page, in bytes.
const MOST: usize = 4 << 20;

/// A page that has grown beyond this is not kept when it is empty.
const KEPT: usize = 1 << 20;

/// How often the thread looks. It is never woken: waking costs the request a system call.
const PERIOD: Duration = Duration::from_millis(25);

/// What one thread has said and nobody has written yet. Far enough from the next one in memory that
/// two cores do not fight for a line of it.
#[derive(Default)]
#[repr(align(128))]
struct Page {
    lines: String,
    /// The moment that all lines of this second begin with.
    stamp: Option<(Timestamp, String)>,
}

impl Page {
    fn line(
        &mut self,
        format: Format,
        at: Timestamp,
        level: Level,
        kind: &str,
        fields: impl FnOnce(&mut Line<'_>),
    ) {
        let is_current = self.stamp.as_ref().is_some_and(|(second, _)| *second == at);
        let stamp = self.stamp.take().filter(|_| is_current);
        let (_, stamp) = self.stamp.insert(stamp.unwrap_or_else(|| (at, at.rfc3339())));
        let mut line = Line::begin(format, &mut self.lines, stamp, level, kind);
        fields(&mut line);
        line.finish();
    }
}

struct Shared {
    format: Format,
    pages: [Mutex<Page>; PAGES],
    dropped: AtomicU64,
    ends: AtomicBool,
}

impl Shared {
    /// This thread's page; another one in the moment in which this one is being taken away.
    fn page(&self) -> Option<MutexGuard<'_, Page>> {
        let (before, from) = self.pages.split_at(seat());
        from.iter().chain(before).map(Mutex::try_lock).find_map(|tried| match tried {
            Ok(page) => Some(page),
            Err(TryLockError::Poisoned(page)) => Some(page.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

/// Which page is this thread's.
fn seat() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SEAT: Cell<Option<usize>> = const { Cell::new(None) };
    }
    SEAT.with(|seat| {
        let taken = seat.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % PAGES);
        seat.set(Some(taken));
        taken
    })
}

/// Where lines go. Cheap to clone; never blocks.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

/// The thread that writes. Dropping it writes what is left.
pub struct LogThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Starts the thread.
    pub fn start(
        format: Format,
        mut out: impl Write + Send + 'static,
    ) -> std::io::Result<(Self, LogThread)> {
        let shared = Arc::new(Shared {
            format,
            pages: Default::default(),
            dropped: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || {
            let mut empty = String::new();
            loop {
                let ends = of_thread.ends.load(Ordering::Acquire);
                drain(&of_thread, &mut empty, &mut out);
                if ends {
                    break;
                }
                sleep(PERIOD);
            }
        })?;
        Ok((Self(Arc::clone(&shared)), LogThread { shared, thread: Some(thread) }))
    }

    /// Writes a line.
    pub fn line(
        &self,
        at: Timestamp,
        level: Level,
        kind: &str,
        fields: impl FnOnce(&mut Line<'_>),
    ) {
        match self.0.page().filter(|page| page.lines.len() < MOST) {
            Some(mut page) => page.line(self.0.format, at, level, kind, fields),
            None => drop(self.0.dropped.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Writes a sentence for the operator.
    pub fn say(&self, at: Timestamp, level: Level, message: &str) {
        self.line(at, level, "gateway", |line| line.text("message", message));
    }
}

/// Writes everything that waits, and says so if something was dropped. An empty page stays behind
/// in place of each that is taken.
fn drain(shared: &Shared, empty: &mut String, out: &mut impl Write) {
    for page in &shared.pages {
        mem::swap(&mut page.lock().unwrap_or_else(PoisonError::into_inner).lines, empty);
        if !empty.is_empty() {
            // A log that cannot be written has nowhere to say so.
            let _ = out.write_all(empty.as_bytes()).and_then(|()| out.flush());
            empty.clear();
        }
        empty.shrink_to(KEPT);
    }
    let dropped = shared.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        let _ = writeln!(out, "{{\"level\":\"warn\",\"kind\":\"log\",\"dropped\":{dropped}}}");
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::scope;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn everything_said_before_the_end_is_written_whole_and_in_each_threads_order() {
        let sink = Sink::default();
        let (log, thread) = Log::start(Format::Json, sink.clone()).unwrap();
        scope(|scope| {
            for speaker in 0..2 * PAGES {
                let log = log.clone();
                scope.spawn(move || {
                    for number in 0..500_u64 {
                        log.line(Timestamp::from_secs(number / 100), Level::Info, "test", |line| {
                            line.number("speaker", speaker as u64);
                            line.number("number", number);
                        });
                    }
                });
            }
        });
        drop(thread);
        let mut heard = vec![0_u64; 2 * PAGES];
        for line in sink.text().lines() {
            let said: serde_json::Value = serde_json::from_str(line).unwrap();
            if said["kind"] != "test" {
                continue;
            }
            let second = said["number"].as_u64().unwrap() / 100;
            assert_eq!(said["time"], Timestamp::from_secs(second).rfc3339());
            let speaker = usize::try_from(said["speaker"].as_u64().unwrap()).unwrap();
            heard[speaker] += 1;
        }
        // Whoever shares a page with others may find it, and all others, in use.
        let dropped: u64 = sink
            .text()
            .lines()
            .filter_map(|line| {
                serde_json::from_str::<serde_json::Value>(line).ok()?["dropped"].as_u64()
            })
            .sum();
        assert_eq!(heard.iter().sum::<u64>() + dropped, 2 * PAGES as u64 * 500);
    }

    #[test]
    fn what_nobody_writes_is_bounded_and_the_rest_is_counted() {
        let (log, thread) = Log::start(Format::Json, std::io::sink()).unwrap();
        drop(thread);
        let long = "x".repeat(MOST / 4);
        (0..8).for_each(|_| log.say(Timestamp::from_secs(0), Level::Info, &long));
        assert_eq!(log.0.dropped.load(Ordering::Relaxed), 4);
    }
}
