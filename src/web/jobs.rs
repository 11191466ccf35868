//! Jobs and their results as messages between workers: `{ predict: … }`, `{ painting: … }`. An inner
//! tag would make serde buffer what it reads, and typed arrays do not survive that.

use js_sys::{Float32Array, Uint8ClampedArray};
use serde::{Deserialize, Serialize};

use crate::pipeline::{Job, Output, Picture};

/// [`Job`] with its numbers as typed arrays.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WebJob {
    Predict {
        step: usize,
        pass: usize,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        x: Float32Array,
    },
    Decode {
        index: usize,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        flow: Float32Array,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        occlusion: Float32Array,
    },
}

/// [`Output`] with its numbers and pixels as typed arrays.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum WebOutput {
    Prediction {
        step: usize,
        pass: usize,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        values: Float32Array,
    },
    Painting {
        index: usize,
        #[serde(with = "serde_wasm_bindgen::preserve")]
        rgba: Uint8ClampedArray,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        photo: Option<WebPhoto>,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct WebPhoto {
    size: [usize; 2],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    rgba: Uint8ClampedArray,
}

impl From<Job> for WebJob {
    fn from(job: Job) -> Self {
        let values = |values: Vec<f32>| Float32Array::from(values.as_slice());
        match job {
            Job::Predict { step, pass, x } => Self::Predict { step, pass, x: values(x) },
            Job::Decode { index, flow, occlusion } => {
                Self::Decode { index, flow: values(flow), occlusion: values(occlusion) }
            }
        }
    }
}

impl From<WebJob> for Job {
    fn from(job: WebJob) -> Self {
        match job {
            WebJob::Predict { step, pass, x } => Self::Predict { step, pass, x: x.to_vec() },
            WebJob::Decode { index, flow, occlusion } => {
                Self::Decode { index, flow: flow.to_vec(), occlusion: occlusion.to_vec() }
            }
        }
    }
}

impl From<Output> for WebOutput {
    fn from(output: Output) -> Self {
        let pixels = |bytes: Vec<u8>| Uint8ClampedArray::from(bytes.as_slice());
        match output {
            Output::Prediction { step, pass, values } => {
                Self::Prediction { step, pass, values: values.as_slice().into() }
            }
            Output::Painting { index, rgba, photo } => Self::Painting {
                index,
                rgba: pixels(rgba),
                photo: photo.map(|Picture { size, rgba }| WebPhoto { size, rgba: pixels(rgba) }),
            },
        }
    }
}

impl From<WebOutput> for Output {
    fn from(output: WebOutput) -> Self {
        match output {
            WebOutput::Prediction { step, pass, values } => Self::Prediction { step, pass, values: values.to_vec() },
            WebOutput::Painting { index, rgba, photo } => Self::Painting {
                index,
                rgba: rgba.to_vec(),
                photo: photo.map(|WebPhoto { size, rgba }| Picture { size, rgba: rgba.to_vec() }),
            },
        }
    }
}
