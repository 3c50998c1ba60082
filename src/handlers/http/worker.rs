//! The thread behind an HttpHandler: a small runtime that keeps so many requests under way and no more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::stream::chunk::Chunk;
use crate::stream::handler::report_failed;
use crate::stream::mark::Mark;

use super::courier::Courier;
use super::ledger::Ledger;

/// What the thread is told. It ends when nobody can tell it more.
pub enum Message {
    /// Records to deliver, and marks behind them.
    Batch(Chunk, Vec<Mark>),
    /// To be answered behind everything before.
    Mark(Mark),
}

/// Starts the thread. One batch waits for it; its `context`'s waker is used whenever there is room for another.
///
/// # Errors
/// When the system gives no thread, or no descriptors for its runtime.
pub fn start(courier: Courier, concurrency: usize) -> Result<(Sender<Message>, JoinHandle<()>)> {
    let (sender, receiver) = mpsc::channel(1);
    let runtime = Builder::new_current_thread()
        .enable_all()
        // Names are looked up there.
        .max_blocking_threads(1)
        .thread_name("http names")
        .build()
        .context("HTTP needs a runtime")?;
    let thread = thread::Builder::new()
        .name("http".into())
        .spawn(move || work(&runtime, courier, receiver, concurrency))
        .context("HTTP needs a thread")?;
    Ok((sender, thread))
}

fn work(runtime: &Runtime, courier: Courier, receiver: Receiver<Message>, concurrency: usize) {
    let courier = Arc::new(courier);
    runtime.block_on(serve(&courier, receiver, concurrency));
    if let Some(courier) = Arc::into_inner(courier) {
        let (left, why) = courier.left.into_inner().unwrap_or_else(PoisonError::into_inner);
        if left > 0 {
            courier.context.report.lost(&courier.name, left, format_args!("{why}, and --drain-timeout is over"));
        }
        let letters = courier.letters.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = letters.close() {
            report_failed(&courier.context.report, &courier.name, &error);
        }
    }
}

async fn serve(courier: &Arc<Courier>, mut receiver: Receiver<Message>, concurrency: usize) {
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let places = Arc::new(Semaphore::new(concurrency));
    while let Some(message) = receiver.recv().await {
        courier.context.waker.wake();
        match message {
            Message::Mark(mark) => lock(&ledger).mark(mark),
            Message::Batch(chunk, marks) => {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let number = lock(&ledger).begin();
                marks.into_iter().for_each(|mark| lock(&ledger).mark(mark));
                let (courier, ledger) = (Arc::clone(courier), Arc::clone(&ledger));
                tokio::spawn(async move {
                    let delivered = courier.deliver(chunk.batch()).await;
                    lock(&ledger).done(number, delivered);
                    drop((courier, place));
                });
            }
        }
    }
    // Everything that is under way.
    let _ = places.acquire_many(concurrency as u32).await;
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
