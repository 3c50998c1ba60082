//! Events of every kind, for the tests of what is sent to Python.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::level::Level;
use crate::wire::event::Event;

fn text() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    prop::option::of("(\\PC|[ -~]|[\0-\u{1f}\u{7f}]){0,12}".prop_map(Cow::Owned))
}

fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e20f64..1e20).prop_map(Value::from),
        "\\PC{0,9}".prop_map(Value::from),
    ];
    let list = prop::collection::vec(scalar.clone(), 0..4).prop_map(Value::from);
    prop_oneof![4 => scalar, 1 => list, 1 => (0i64..9).prop_map(|number| json!({"deep": [{"er": number}], "": null}))]
}

prop_compose! {
    pub fn events()(
        time in prop::option::of((-62_000_000_000i64..253_000_000_000, 0u32..1_000_000_000, -1439i32..1440)),
        level in prop::option::of(prop_oneof![Just(30), 0..100, any::<i32>()]),
        (name, function, thread, exception, file) in (text(), text(), text(), text(), text()),
        filename in prop::option::of(prop_oneof!["([a-z./]|\\PC){0,20}".prop_map(String::into_bytes), prop::collection::vec(1u8.., 0..9)]),
        (pid, line) in any::<(Option<u32>, Option<u32>)>(),
        message in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), "(\\PC|[%() -~\n]){0,90}".prop_map(String::into_bytes)],
        extra in prop::option::of(prop::collection::btree_map("request_id|x|é &=|[a-z]{1,5}", json(), 0..4)),
        thread_id in prop::option::of(any::<i64>()),
    ) -> Event<'static> {
        let mut extra = extra;
        if let (Some(id), Some(extra)) = (thread_id, &mut extra) {
            extra.insert("thread".to_owned(), id.into());
            extra.insert("taskName".to_owned(), "Task-1".into());
        }
        let time = time.map(|(seconds, nanos, minutes)| {
            let offset = FixedOffset::east_opt(minutes * 60).unwrap();
            DateTime::from_timestamp(seconds, nanos).unwrap().with_timezone(&offset)
        });
        Event {
            time, level: level.map(Level), name, function, thread, exception, file, pid, line,
            filename: filename.map(Cow::Owned),
            message: Cow::Owned(message),
            extra: extra.map(|extra| Cow::Owned(extra.into_iter().collect())),
            ..Event::default()
        }
    }
}

/// So many of them.
pub fn sample(count: usize) -> Vec<Event<'static>> {
    let (mut runner, events) = (TestRunner::default(), events());
    std::iter::repeat_with(|| events.new_tree(&mut runner).unwrap().current()).take(count).collect()
}
