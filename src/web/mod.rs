//! The crate as the page's worker sees it: a device, a model, a generation, and a GIF encoder.
//!
//! Everything here translates; nothing here computes. The hand-written API that web developers use
//! (`pkg/index.js`) builds on it and adds the worker, downloads, cancellation and recovery.

mod jobs;
mod options;

use std::cell::RefCell;

use burn::tensor::Device;
use js_sys::{Function, Uint8ClampedArray};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use self::jobs::{WebJob, WebOutput};
use self::options::Options;
use crate::{
    bundle::{Assembly, Manifest, Part, WeightFile},
    condition::StrengthRange,
    gif,
    pipeline::{self, Animator, Event, Portrait, Timings},
};

/// The device that a model computes on.
#[wasm_bindgen]
pub struct ComputeDevice(Device);

/// A verified model on its device.
#[wasm_bindgen]
pub struct Model {
    manifest: Manifest,
    animator: Animator,
}

/// A video being made. Dropping it (`free()`) is all that cancelling takes.
#[wasm_bindgen]
pub struct Generation(pipeline::Generation);

/// Dispatches that go to the GPU together at most: those of a denoising step do.
#[cfg(feature = "gpu")]
const TASKS: usize = 256;

/// Opens the device `kind`: `webgpu` (any adapter the browser gives, software ones included) or `cpu`. A GPU that
/// computes something else than the CPU is refused.
#[wasm_bindgen(js_name = openDevice)]
pub async fn open_device(kind: String) -> Result<ComputeDevice, JsError> {
    match kind.as_str() {
        "cpu" => Ok(ComputeDevice(Device::flex())),
        #[cfg(feature = "gpu")]
        "webgpu" => {
            let device = Device::wgpu_options().tasks_max(TASKS).init_async().await?;
            crate::kernels::trial(&device).await?;
            Ok(ComputeDevice(device))
        }
        _ => Err(JsError::new(&format!("device: `{kind}` is not part of this build"))),
    }
}

/// A model that is being downloaded. Each file is checked and unpacked as it arrives, so the page holds one at a time.
#[wasm_bindgen]
pub struct ModelLoader(Assembly);

#[wasm_bindgen]
impl ModelLoader {
    /// Reads `manifest.json`.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8]) -> Result<ModelLoader, JsError> {
        Ok(Self(Assembly::new(manifest)?))
    }

    /// Names and sizes of the files to [`add`](Self::add): `{ name, bytes }[]`.
    pub fn files(&self) -> Result<JsValue, JsError> {
        let needed = |file: &&WeightFile| file.part == Part::Generation;
        let files: Vec<&WeightFile> = self.0.manifest().files.iter().filter(needed).collect();
        Ok(serde_wasm_bindgen::to_value(&files)?)
    }

    /// Verifies a file of the manifest and keeps its weights.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsError> {
        Ok(self.0.add(name, bytes)?)
    }

    /// Has a GPU compile what the first video needs, while files arrive. Nothing depends on it.
    pub fn rehearse(&self, device: &ComputeDevice) {
        #[cfg(feature = "gpu")]
        if let Err(error) = Animator::rehearse(self.0.manifest(), &device.0) {
            web_sys::console::warn_1(&format!("lfdm: {error}").into());
        }
        #[cfg(not(feature = "gpu"))]
        let _ = device;
    }

    /// Builds the model; nothing is kept if anything is missing or wrong.
    pub fn finish(self, device: &ComputeDevice) -> Result<Model, JsError> {
        let bundle = self.0.finish(&[Part::Generation])?;
        let manifest = bundle.manifest.clone();
        Ok(Model { manifest, animator: Animator::load(bundle, &device.0)? })
    }
}

#[wasm_bindgen]
impl Model {
    /// Labels, sizes and defaults, as `Manifest` in `pkg/index.d.ts`.
    pub fn manifest(&self) -> Result<JsValue, JsError> {
        Ok(serde_wasm_bindgen::to_value(&WebManifest::from(&self.manifest))?)
    }

    /// Starts a video from `width * height` RGBA pixels. Everything is checked here; nothing is computed yet.
    pub fn generate(&self, rgba: &[u8], width: usize, height: usize, options: JsValue) -> Result<Generation, JsError> {
        let Options { request, previews, photo_size } = options::options(&options, &self.manifest)?;
        let size = self.animator.config().image_size;
        let portrait = Portrait::from_rgba(width, height, rgba, size)?;
        let mut generation = self.animator.generate(&portrait, &request)?;
        if previews {
            generation = generation.with_previews();
        }
        if let Some(side) = photo_size {
            generation = generation.at_photo_size(&Portrait::at_photo_size(width, height, rgba, size, side)?);
        }
        Ok(Generation(generation))
    }
}

#[wasm_bindgen]
impl Generation {
    /// Does one unit of work (the encoding, one denoising step or one frame) and reports it; `undefined` after
    /// the last.
    pub async fn next(&mut self) -> Result<JsValue, JsError> {
        match self.0.next().await {
            None => Ok(JsValue::UNDEFINED),
            Some(event) => Ok(serde_wasm_bindgen::to_value(&WebEvent::from(event?))?),
        }
    }

    /// What can be computed elsewhere before the next `next`, as plain objects in the order of need.
    pub async fn jobs(&self) -> Result<JsValue, JsError> {
        let jobs: Vec<WebJob> = self.0.jobs().await?.into_iter().map(WebJob::from).collect();
        Ok(serde_wasm_bindgen::to_value(&jobs)?)
    }

    /// Does a job of this video, whichever worker its generation lives in.
    pub async fn compute(&self, job: JsValue) -> Result<JsValue, JsError> {
        let job: WebJob = serde_wasm_bindgen::from_value(job)?;
        Ok(serde_wasm_bindgen::to_value(&WebOutput::from(self.0.compute(&job.into()).await?))?)
    }

    /// Takes what `compute` returned, here or in another worker.
    pub fn supply(&mut self, output: JsValue) -> Result<(), JsError> {
        let output: WebOutput = serde_wasm_bindgen::from_value(output)?;
        self.0.supply(output.into());
        Ok(())
    }
}

/// Encodes RGBA frames of one size as a GIF that loops forever.
#[wasm_bindgen(js_name = encodeGif)]
pub fn encode_gif(frames: Vec<Uint8ClampedArray>, width: u16, height: u16, fps: f32) -> Result<Vec<u8>, JsError> {
    let frames: Vec<Vec<u8>> = frames.iter().map(Uint8ClampedArray::to_vec).collect();
    Ok(gif::encode(&frames, width, height, fps)?)
}

thread_local! {
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Registers a callback for panics. A panic ends the module and leaves promises pending forever, so this call,
/// made by the panic hook itself, is the only notice of it.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(callback: Function) {
    ON_PANIC.set(Some(callback));
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        ON_PANIC.with_borrow(|callback| {
            if let Some(callback) = callback {
                // Nothing is left to do if even this fails: the console has the message.
                let _ = callback.call1(&JsValue::UNDEFINED, &info.to_string().into());
            }
        });
    }));
}

/// What a page needs from the manifest; the full one also lists files and training details.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebManifest<'a> {
    name: &'a str,
    labels: &'a [String],
    strengths: StrengthRange,
    frames: usize,
    fps: f32,
    image_size: [usize; 2],
    motion_size: [usize; 2],
    default_steps: usize,
    default_guidance: f32,
    licence: &'a str,
}

impl<'a> From<&'a Manifest> for WebManifest<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        let Manifest { name, labels, strengths, config, fps, default_steps, default_guidance, licence, .. } = manifest;
        Self {
            name,
            labels,
            strengths: *strengths,
            frames: config.frames,
            fps: *fps,
            image_size: config.image_size,
            motion_size: config.flow_size(),
            default_steps: *default_steps,
            default_guidance: *default_guidance,
            licence,
        }
    }
}

/// [`Event`] with pixels as typed arrays, which reach the page without a copy.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum WebEvent {
    Encoded,
    Step {
        index: usize,
        total: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        preview: Option<WebPicture>,
    },
    Frame {
        index: usize,
        total: usize,
        width: usize,
        height: usize,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        rgba: Uint8ClampedArray,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        flow: Uint8ClampedArray,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        occlusion: Uint8ClampedArray,
        #[serde(skip_serializing_if = "Option::is_none")]
        photo: Option<WebPicture>,
    },
    Done {
        timings: WebTimings,
    },
}

/// Milliseconds by phase.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_field_names, reason = "the unit belongs to the names that the page reads")]
struct WebTimings {
    encode_ms: f64,
    denoise_ms: f64,
    decode_ms: f64,
    total_ms: f64,
}

impl From<Timings> for WebTimings {
    fn from(Timings { encode_ms, denoise_ms, decode_ms, total_ms }: Timings) -> Self {
        Self { encode_ms, denoise_ms, decode_ms, total_ms }
    }
}

/// Pixels with their size; for a preview, all frames one after the other.
#[derive(Serialize)]
struct WebPicture {
    width: usize,
    height: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    rgba: Uint8ClampedArray,
}

impl WebPicture {
    fn new([height, width]: [usize; 2], rgba: &[u8]) -> Self {
        Self { width, height, rgba: rgba.into() }
    }
}

impl From<Event> for WebEvent {
    fn from(event: Event) -> Self {
        let pixels = |bytes: Vec<u8>| Uint8ClampedArray::from(bytes.as_slice());
        match event {
            Event::Encoded => Self::Encoded,
            Event::Step { index, total, preview } => {
                let preview = preview.map(|preview| WebPicture::new(preview.size, &preview.flow));
                Self::Step { index, total, preview }
            }
            Event::Frame(frame) => Self::Frame {
                index: frame.index,
                total: frame.total,
                width: frame.size[1],
                height: frame.size[0],
                rgba: pixels(frame.rgba),
                flow: pixels(frame.flow),
                occlusion: pixels(frame.occlusion),
                photo: frame.photo.map(|photo| WebPicture::new(photo.size, &photo.rgba)),
            },
            Event::Done(timings) => Self::Done { timings: timings.into() },
        }
    }
}
