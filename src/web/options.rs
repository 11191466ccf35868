//! Reading the options object of `generate`, naming the field in every complaint.

use js_sys::{Object, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::{bundle::Manifest, pipeline::Request};

const FIELDS: [&str; 5] = ["label", "seed", "steps", "guidance", "sampler"];

/// A [`Request`] from a JS object; absent options are the model's defaults, unknown ones are refused.
pub(super) fn request(options: &JsValue, manifest: &Manifest) -> Result<Request, JsError> {
    let object = options.dyn_ref::<Object>().ok_or_else(|| JsError::new("options: expected an object"))?;
    for key in Object::keys(object) {
        let key = key.as_string().unwrap_or_default();
        if !FIELDS.contains(&key.as_str()) {
            return Err(JsError::new(&format!("{key}: no such option; the options are {}", FIELDS.join(", "))));
        }
    }
    Ok(Request {
        label: field(object, "label")?.ok_or_else(|| JsError::new("label: missing"))?,
        seed: field(object, "seed")?.unwrap_or(0),
        steps: field(object, "steps")?.unwrap_or(manifest.default_steps),
        guidance: field(object, "guidance")?.unwrap_or(manifest.default_guidance),
        sampler: field(object, "sampler")?.unwrap_or_default(),
    })
}

fn field<T: DeserializeOwned>(object: &Object, name: &str) -> Result<Option<T>, JsError> {
    let value = Reflect::get(object, &name.into()).map_err(|_| JsError::new(&format!("{name}: cannot be read")))?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    serde_wasm_bindgen::from_value(value).map(Some).map_err(|error| JsError::new(&format!("{name}: {error}")))
}
