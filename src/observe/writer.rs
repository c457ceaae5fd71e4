//! What waits to be written, and the thread that writes it.

use super::line::{Format, Level, Line};
use crate::types::Timestamp;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// Bytes that may wait to be written.
const CAPACITY: usize = 4 * 1024 * 1024;

/// How often the thread looks. It is never woken: waking costs the request a system call.
const PERIOD: Duration = Duration::from_millis(25);

struct Shared {
    format: Format,
    /// Finished lines. Held for as long as it takes to copy one, or to put an empty one in its
    /// place, and never while anything is written.
    waiting: Mutex<Vec<u8>>,
    dropped: AtomicU64,
    ends: AtomicBool,
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
            waiting: Mutex::default(),
            dropped: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || {
            let mut batch = Vec::new();
            loop {
                let ends = of_thread.ends.load(Ordering::Acquire);
                drain(&of_thread, &mut batch, &mut out);
                if ends {
                    break;
                }
                sleep(PERIOD);
            }
        })?;
        Ok((Self(Arc::clone(&shared)), LogThread { shared, thread: Some(thread) }))
    }

    /// Writes a line.
    pub fn line(&self, at: Timestamp, level: Level, kind: &str, fields: impl FnOnce(&mut Line)) {
        let mut line = Line::begin(self.0.format, at, level, kind);
        fields(&mut line);
        let line = line.finish();
        let mut waiting = self.0.waiting();
        if waiting.len() + line.len() > CAPACITY {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            waiting.extend_from_slice(&line);
        }
    }

    /// Writes a sentence for the operator.
    pub fn say(&self, at: Timestamp, level: Level, message: &str) {
        self.line(at, level, "gateway", |line| line.text("message", message));
    }

    /// How lines look.
    pub fn format(&self) -> Format {
        self.0.format
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes everything that waits with one call, and says so if something was dropped. `batch` is
/// empty before and after; its room is used again.
fn drain(shared: &Shared, batch: &mut Vec<u8>, out: &mut impl Write) {
    std::mem::swap(batch, &mut *shared.waiting());
    let dropped = shared.dropped.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        batch.extend_from_slice(
            format!("{{\"level\":\"warn\",\"kind\":\"log\",\"dropped\":{dropped}}}\n").as_bytes(),
        );
    }
    // A log that cannot be written has nowhere to say so.
    let _ = out.write_all(batch).and_then(|()| out.flush());
    batch.clear();
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
    use std::sync::Mutex;

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

    #[test]
    fn everything_said_before_the_end_is_written() {
        let sink = Sink::default();
        let (log, thread) = Log::start(Format::Json, sink.clone()).unwrap();
        for _ in 0..100 {
            log.say(Timestamp::from_secs(0), Level::Info, "hello");
        }
        drop(thread);
        assert_eq!(sink.0.lock().unwrap().iter().filter(|c| **c == b'\n').count(), 100);
    }
}
