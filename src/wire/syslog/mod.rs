//! The system log's own forms (Python's SysLogHandler): what glibc writes to /dev/log, RFC 3164 and RFC 5424.

mod encoder;
mod facility;
mod field;
mod local;
mod message;
mod pri;
mod rfc3164;
mod rfc5424;
mod severity;
mod structured_data;
#[cfg(test)]
mod tests;

pub use encoder::{Encoder, Form, Options};
pub use facility::{Facility, FacilityError};
pub use message::Controls;
pub use pri::Pri;
pub use severity::{Severity, SeverityError};
pub use structured_data::{StructuredData, StructuredDataError};
