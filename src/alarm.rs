//! Wakes at a time of day, by the clock on the wall.
//!
//! A wait that was worked out once is wrong when the clock is set or the machine has slept meanwhile. The kernel's own
//! timer on the wall clock is not, and it also tells when the clock is set.

#[cfg(target_os = "linux")]
pub use linux::Alarm;
#[cfg(not(target_os = "linux"))]
pub use other::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use anyhow::{Context as _, Result};
    use chrono::{DateTime, Utc};
    use rustix::io::Errno;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };

    use crate::stop::Waker;

    /// A timer of the kernel, and a thread that does nothing but wait for it.
    pub struct Alarm {
        timer: Arc<OwnedFd>,
        ended: Arc<AtomicBool>,
        set_to: Option<DateTime<Utc>>,
    }

    impl Alarm {
        /// An alarm that uses `waker` when its time has come, or the clock was set.
        ///
        /// # Errors
        /// When the system has no more timers or threads.
        pub fn new(waker: Waker) -> Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC).context("no timer")?;
            let timer = Arc::new(timer);
            let ended = Arc::new(AtomicBool::new(false));
            let (waiting, over) = (Arc::clone(&timer), Arc::clone(&ended));
            let wait = move || {
                let mut expirations = [0; 8];
                loop {
                    match rustix::io::read(&*waiting, &mut expirations) {
                        // Cancelled: the clock was set.
                        Ok(_) | Err(Errno::CANCELED | Errno::INTR) => {}
                        Err(_) => return,
                    }
                    if over.load(Ordering::Acquire) {
                        return;
                    }
                    waker.wake();
                }
            };
            thread::Builder::new().name("alarm".into()).spawn(wait).context("an alarm needs a thread")?;
            Ok(Self { timer, ended, set_to: None })
        }

        /// Sets it to `at`, or to nothing. Costs nothing when it is set to that already.
        pub fn set(&mut self, at: Option<DateTime<Utc>>) {
            if self.set_to != at {
                self.set_to = at;
                let time = at.map_or(Timespec { tv_sec: 0, tv_nsec: 0 }, |at| Timespec {
                    tv_sec: at.timestamp(),
                    tv_nsec: at.timestamp_subsec_nanos().into(),
                });
                self.arm(time);
            }
        }

        /// Zero disarms it.
        fn arm(&self, time: Timespec) {
            let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
            let spec = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: time };
            // What cannot be armed wakes nobody; the ordinary deadline is still there.
            let _ = timerfd_settime(&*self.timer, flags, &spec);
        }
    }

    impl Drop for Alarm {
        fn drop(&mut self) {
            self.ended.store(true, Ordering::Release);
            // A time long past: the thread wakes now, and leaves.
            self.arm(Timespec { tv_sec: 1, tv_nsec: 0 });
        }
    }

    #[cfg(test)]
    mod tests {
        use std::sync::mpsc;
        use std::time::Duration;

        use super::*;

        #[test]
        fn it_wakes_at_its_time_and_again_when_it_is_set_again() {
            let (sender, woken) = mpsc::channel();
            let mut alarm = Alarm::new(Waker::new(move || {
                let _ = sender.send(Utc::now());
            }))
            .unwrap();
            for _ in 0..2 {
                let at = Utc::now() + Duration::from_millis(20);
                alarm.set(Some(at));
                alarm.set(Some(at));
                assert!(woken.recv_timeout(Duration::from_secs(20)).unwrap() >= at);
            }
            alarm.set(None);
            assert!(woken.try_recv().is_err());
            drop(alarm);
            // The thread has gone, and its waker with it.
            assert_eq!(woken.recv_timeout(Duration::from_secs(20)), Err(mpsc::RecvTimeoutError::Disconnected));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use anyhow::Result;
    use chrono::{DateTime, Utc};

    use crate::stop::Waker;

    /// Where the kernel has no such timer, the ordinary deadline must do.
    pub struct Alarm;

    impl Alarm {
        /// # Errors
        /// Never.
        pub fn new(_waker: Waker) -> Result<Self> {
            Ok(Self)
        }

        pub fn set(&mut self, _at: Option<DateTime<Utc>>) {}
    }
}
