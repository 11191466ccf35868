//! Where settings differ from earlier ones, in words.

use serde_json::{Map, Value};

/// Each setting in which `now` differs from `then`, by its path and with both values.
pub(crate) fn differences(then: &Value, now: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    collect("", then, now, &mut differences);
    differences
}

fn collect(path: &str, then: &Value, now: &Value, differences: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            let added = now.keys().filter(|key| !then.contains_key(*key));
            for key in then.keys().chain(added) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let value = |settings: &Map<String, Value>| settings.get(key).cloned().unwrap_or_default();
                collect(&path, &value(then), &value(now), differences);
            }
        }
        _ if then != now => differences.push(format!("{path} was {then} and is now {now}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differing_settings_are_named_with_both_values() {
        let then = json!({ "batch": 4, "config": { "frames": 8, "unet": { "dim": 32 } }, "labels": ["a"] });
        let now =
            json!({ "batch": 4, "config": { "frames": 8, "unet": { "dim": 64 } }, "labels": ["a", "b"], "new": 1 });
        let mut differences = differences(&then, &now);
        differences.sort();
        assert_eq!(
            differences,
            [
                "config.unet.dim was 32 and is now 64",
                "labels was [\"a\"] and is now [\"a\",\"b\"]",
                "new was null and is now 1"
            ]
        );
    }
}
