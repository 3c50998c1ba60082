//! What moving log files means: when it is time, what they are called, how they are moved. Knows paths and times, not lines.

pub mod archives;
pub mod backups;
pub mod budget;
mod civil;
pub mod compress;
pub mod dated;
pub mod fields;
pub mod hooks;
pub mod housekeeper;
pub mod link;
pub mod lock;
pub mod mover;
pub mod naming;
mod pattern;
pub mod temporary;
pub mod when;
