//! The hard bound on all bytes of one log: current file, archives and temporary files together (`--max-total-bytes`).
//!
//! The writer and the compressor each keep their own figure here. Each adds to it before it looks and writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who takes how much of the budget, in bytes. Cheap to clone, shared by writer and compressor.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Figures>);

#[derive(Debug)]
struct Figures {
    limit: u64,
    current: AtomicU64,
    archived: AtomicU64,
    temporary: AtomicU64,
}

impl Budget {
    /// `None` is no bound.
    pub fn new(limit: Option<u64>) -> Self {
        let zero = || AtomicU64::new(0);
        let limit = limit.unwrap_or(u64::MAX);
        Self(Arc::new(Figures { limit, current: zero(), archived: zero(), temporary: zero() }))
    }

    pub fn is_bounded(&self) -> bool {
        self.0.limit != u64::MAX
    }

    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// The length of the file that is being written, with what is about to be written.
    pub fn set_current(&self, bytes: u64) {
        self.0.current.store(bytes, Ordering::Relaxed);
    }

    /// What the archives came to at the last count.
    pub fn set_archived(&self, bytes: u64) {
        self.0.archived.store(bytes, Ordering::Relaxed);
    }

    /// A temporary file is about to grow.
    pub fn add_temporary(&self, bytes: u64) {
        self.0.temporary.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A temporary file does not grow after all, is gone, or has become an archive.
    pub fn remove_temporary(&self, bytes: u64) {
        self.0.temporary.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// By how much the bound is exceeded; 0 if not at all.
    pub fn excess(&self) -> u64 {
        let used = [&self.0.current, &self.0.archived, &self.0.temporary]
            .iter()
            .fold(0u64, |sum, figure| sum.saturating_add(figure.load(Ordering::Relaxed)));
        used.saturating_sub(self.0.limit)
    }
}
