//! Where settings differ from earlier ones, in words.

use serde_json::{Map, Number, Value};

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
        (Value::Number(then), Value::Number(now)) if is_same(then, now) => {}
        _ if then != now => differences.push(format!("{path} was {} and is now {}", in_words(then), in_words(now))),
        _ => {}
    }
}

/// Reading a decimal fraction can change its last digit.
fn is_same(then: &Number, now: &Number) -> bool {
    const ROUNDING: f64 = 1e-14;
    match (then.as_f64(), now.as_f64()) {
        (Some(a), Some(b)) if then.is_f64() || now.is_f64() => (a - b).abs() <= ROUNDING * a.abs().max(b.abs()),
        _ => then == now,
    }
}

/// 1.7 for what is 1.7000000476837158, the nearest number in single precision.
fn in_words(value: &Value) -> String {
    let single = value.as_f64().filter(|_| value.is_f64()).map(|number| number as f32);
    single
        .filter(|single| value.as_f64() == Some(f64::from(*single)))
        .map_or_else(|| value.to_string(), |single| single.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_survive_being_written_and_read() {
        let through_text = |value: &Value| serde_json::from_str::<Value>(&value.to_string()).unwrap();
        for tenths in 1..200_u16 {
            let single = json!(f32::from(tenths) / 10.0);
            assert!(
                differences(&json!({ "guidance": through_text(&single) }), &json!({ "guidance": single })).is_empty()
            );
            let double = json!(f64::from(tenths) / 7.0 + 1e-3);
            assert!(differences(&json!({ "focus": through_text(&double) }), &json!({ "focus": double })).is_empty());
        }
        let [then, now] = [1.7_f32, 3.9].map(|guidance| json!({ "guidance": guidance }));
        assert_eq!(differences(&then, &now), ["guidance was 1.7 and is now 3.9"]);
        assert_eq!(differences(&json!({ "seed": u64::MAX }), &json!({ "seed": u64::MAX - 1 })).len(), 1);
    }

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
