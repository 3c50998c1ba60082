//! Torture: many writers on one file, kills at any moment, full disks, hostile folders, and rotation by others.
//!
//! Everything goes through the real binary. What needs root or a tool is left out with a word where that is missing,
//! unless `LOGHAND_PEERS=required` says that it must be there.

mod disk;
mod folders;
mod follower;
mod following;
mod harness;
mod kills;
mod rotators;
mod watch;
mod writers;
