//! Reading the options object of `generate`, naming the field in every complaint.

use js_sys::{Object, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::{bundle::Manifest, condition::Strengths, pipeline::Request, portrait::MIN_SIDE};

/// Longest side of a frame at photo size, in pixels: sixteen such frames are 270 MB.
const MAX_PHOTO_SIDE: usize = 2048;

const FIELDS: [&str; 9] =
    ["label", "strengths", "seed", "steps", "guidance", "contrast", "sampler", "previews", "photoSize"];

/// What a page asks for.
pub(super) struct Options {
    pub request: Request,
    /// Whether to show the motion after every step.
    pub previews: bool,
    /// Also make every frame at the photo's size, with sides of at most this many pixels.
    pub photo_size: Option<usize>,
}

/// [`Options`] from a JS object. Absent options take the model's defaults; unknown ones are refused.
pub(super) fn options(options: &JsValue, manifest: &Manifest) -> Result<Options, JsError> {
    let object = options.dyn_ref::<Object>().ok_or_else(|| JsError::new("options: expected an object"))?;
    for key in Object::keys(object) {
        let key = key.as_string().unwrap_or_default();
        if !FIELDS.contains(&key.as_str()) {
            return Err(JsError::new(&format!("{key}: no such option; the options are {}", FIELDS.join(", "))));
        }
    }
    let request = Request {
        strengths: strengths(object)?,
        seed: field(object, "seed")?.unwrap_or(0),
        steps: field(object, "steps")?.unwrap_or(manifest.default_steps),
        guidance: field(object, "guidance")?.unwrap_or(manifest.default_guidance),
        contrast: field(object, "contrast")?.unwrap_or(manifest.default_contrast),
        sampler: field(object, "sampler")?.unwrap_or_else(|| manifest.default_sampler()),
    };
    let photo_size: Option<usize> = field(object, "photoSize")?;
    if photo_size.is_some_and(|side| !(MIN_SIDE..=MAX_PHOTO_SIDE).contains(&side)) {
        return Err(JsError::new(&format!("photoSize: must be {MIN_SIDE} to {MAX_PHOTO_SIDE} pixels")));
    }
    Ok(Options { request, previews: field(object, "previews")?.unwrap_or(false), photo_size })
}

/// `label` alone, or `strengths` by label. Whether the model knows the labels is checked with the request.
fn strengths(object: &Object) -> Result<Strengths, JsError> {
    match (field::<String>(object, "label")?, field(object, "strengths")?) {
        (Some(label), None) => Ok(label.as_str().into()),
        (None, Some(strengths)) => Ok(strengths),
        (None, None) => Err(JsError::new("label: missing; give a `label`, or `strengths` by label")),
        (Some(_), Some(_)) => Err(JsError::new("strengths: there is a `label` too; give one of the two")),
    }
}

fn field<T: DeserializeOwned>(object: &Object, name: &str) -> Result<Option<T>, JsError> {
    let value = Reflect::get(object, &name.into()).map_err(|_| JsError::new(&format!("{name}: cannot be read")))?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    serde_wasm_bindgen::from_value(value).map(Some).map_err(|error| JsError::new(&format!("{name}: {error}")))
}
