//! What tells that files have grown, or that names lead elsewhere: one watch for all folders, and where the kernel
//! cannot tell (network file systems, too few watches), a look now and then.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use notify::event::ModifyKind;
use notify::{Config, Event, EventKind, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher};

use crate::inode::FileId;
use crate::report::Report;
use crate::stop::Waker;

use super::log::shown;

/// How often folders that cannot be watched are looked at, unless `--poll` says otherwise.
const POLL: Duration = Duration::from_secs(1);

/// What is given for one log in [`Changes`].
pub type Key = usize;

/// Watches folders.
pub struct Watching {
    /// None when every folder is polled.
    watcher: Option<RecommendedWatcher>,
    watched: HashMap<PathBuf, FolderId>,
    shared: Arc<Mutex<Shared>>,
    /// When to look next, where something must be looked at.
    look: Option<Instant>,
    every: Duration,
    said: bool,
    report: Report,
}

/// A folder, and when it was made.
type FolderId = (FileId, Option<SystemTime>);

/// What changed since the last question.
#[derive(Debug, Default)]
pub struct Changes {
    /// Names were made, moved or deleted, or nobody knows what happened.
    pub names: bool,
    /// Nobody tells what has grown, so that it is to be looked at.
    pub untold: bool,
    /// Logs that have grown.
    pub grown: HashSet<Key>,
    /// Logs of which a file has grown that was thought to be done.
    pub late: HashSet<Key>,
}

/// What a file is.
#[derive(Clone, Copy, Debug)]
pub struct Interest {
    /// Whose it is.
    pub key: Key,
    /// It was read to its end, and has a successor.
    pub done: bool,
}

impl Changes {
    fn any(&self) -> bool {
        self.names || !self.grown.is_empty() || !self.late.is_empty()
    }
}

#[derive(Default)]
struct Shared {
    changes: Changes,
    places: HashMap<PathBuf, Interest>,
    folders: HashSet<PathBuf>,
    /// Which of the folders were told to have been deleted, or moved, since they were set.
    gone: HashSet<PathBuf>,
}

impl Watching {
    /// With `poll` nothing is watched, and everything looked at so often.
    pub fn new(poll: Option<Duration>, waker: Waker, report: Report) -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let mut watching = Self {
            watcher: None,
            watched: HashMap::new(),
            shared: Arc::clone(&shared),
            look: None,
            every: poll.unwrap_or(POLL),
            said: false,
            report,
        };
        if poll.is_some() {
            watching.look = Some(Instant::now() + watching.every);
            return watching;
        }
        let tell = move |event: notify::Result<Event>| {
            if lock(&shared).note(event) {
                waker.wake();
            }
        };
        let kinds = EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::ALL_MODIFY;
        match RecommendedWatcher::new(tell, Config::default().with_event_kinds(kinds)) {
            Ok(watcher) => watching.watcher = Some(watcher),
            Err(error) => watching.poll(format_args!("no watching here: {error}")),
        }
        watching
    }

    /// Watches just these folders from now on. Says whether there are new ones: what happened in them before is for the
    /// caller to look at.
    pub fn set_folders(&mut self, folders: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut any_new = false;
        let mut unwatched = None;
        // A folder that another one has replaced is watched anew; also one that is told to be gone and is there: notify
        // gives up the watch of whatever has that name by then, though it was the one before that went.
        let gone = std::mem::take(&mut lock(&self.shared).gone);
        self.watched.retain(|folder, id| {
            let stays = folders.contains(folder) && id_of(folder) == Some(*id) && !gone.contains(folder);
            if !stays {
                let _ = watcher.unwatch(folder);
            }
            stays
        });
        for folder in folders {
            if self.watched.contains_key(folder) {
                continue;
            }
            let Some(id) = id_of(folder) else { continue };
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    any_new = true;
                    self.watched.insert(folder.clone(), id);
                    if is_remote(folder) {
                        unwatched = Some(format!("{}: other machines' writing is not told", shown(folder)));
                    }
                }
                Err(error) => unwatched = Some(format!("{}: cannot be watched: {error}", shown(folder))),
            }
        }
        lock(&self.shared).folders = folders.iter().cloned().collect();
        if let Some(why) = unwatched {
            self.poll(why);
        }
        any_new
    }

    fn poll(&mut self, why: impl std::fmt::Display) {
        self.look.get_or_insert_with(|| Instant::now() + self.every);
        if !std::mem::replace(&mut self.said, true) {
            let every = self.every.as_secs_f64();
            self.report.warn("input", format_args!("looking every {every} s: {why}"));
        }
    }

    /// What is written at other places is of no interest.
    pub fn set_places(&self, places: HashMap<PathBuf, Interest>) {
        lock(&self.shared).places = places;
    }

    pub fn add_place(&self, place: PathBuf, interest: Interest) {
        lock(&self.shared).places.insert(place, interest);
    }

    /// Gives what changed, once.
    pub fn take(&mut self, now: Instant) -> Changes {
        let mut changes = std::mem::take(&mut lock(&self.shared).changes);
        if self.look.is_some_and(|look| now >= look) {
            self.look = Some(now + self.every);
            changes.names = true;
            changes.untold = true;
        }
        changes
    }

    /// When to look next, if nobody tells.
    pub fn deadline(&self) -> Option<Instant> {
        self.look
    }
}

impl Shared {
    /// Says whether somebody is to be woken for it.
    fn note(&mut self, event: notify::Result<Event>) -> bool {
        let told = self.changes.any();
        match event {
            Ok(event) if matches!(event.kind, EventKind::Modify(ModifyKind::Data(_))) && !event.need_rescan() => {
                for interest in event.paths.iter().filter_map(|path| self.places.get(path)) {
                    let changes = &mut self.changes;
                    if interest.done { &mut changes.late } else { &mut changes.grown }.insert(interest.key);
                }
            }
            event => {
                self.changes.names = true;
                // What the kernel had no room for may have been anything.
                self.changes.untold |= event.as_ref().map_or(true, Event::need_rescan);
                if let Ok(Event {
                    kind: EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)), paths, ..
                }) = event
                {
                    self.gone.extend(paths.into_iter().filter(|path| self.folders.contains(path)));
                }
            }
        }
        !told && self.changes.any()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which folder it is. One that was deleted and made anew often has the same inode, and no watch.
fn id_of(folder: &Path) -> Option<FolderId> {
    fs::metadata(folder).ok().map(|metadata| (FileId::of(&metadata), metadata.created().ok()))
}

/// Whether others than this machine's kernel may write there.
#[cfg(target_os = "linux")]
fn is_remote(folder: &Path) -> bool {
    // As linux/magic.h has them: NFS, SMB, CIFS, SMB2, FUSE (sshfs and its like), 9p, Ceph, AFS.
    const REMOTE: [i128; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f];
    rustix::fs::statfs(folder).is_ok_and(|stat| REMOTE.contains(&i128::from(stat.f_type)))
}

#[cfg(not(target_os = "linux"))]
fn is_remote(_folder: &Path) -> bool {
    false
}
