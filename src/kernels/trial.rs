//! A trial of a device: known answers of the kernels that a model spends its time in.
//!
//! Drivers with faults compute nonsense without a word. A few small problems tell that before anyone waits for a video.

use burn::tensor::{Device, ExecutionError, Tensor};
use thiserror::Error;

use super::{Affine, Attention, Convolution, Gate};
use crate::noise::NoiseSource;

/// How far a result may be from that of the CPU; results are of the order of 1.
const TOLERANCE: f32 = 1e-2;

/// A device that cannot be used.
#[derive(Debug, Error)]
pub enum TrialError {
    /// It failed.
    #[error("the device failed: {0}")]
    Device(#[from] ExecutionError),
    /// It computes something else.
    #[error("the device computes wrong results: {found} instead of {expected} in {kernel}")]
    Wrong {
        /// What was computed.
        kernel: &'static str,
        /// By the device.
        found: f32,
        /// By the CPU.
        expected: f32,
    },
}

/// Lets `device` compute what the CPU computes too, and compares.
///
/// # Errors
/// [`TrialError`] if the device fails or is wrong.
pub async fn trial(device: &Device) -> Result<(), TrialError> {
    let cpu = Device::flex();
    for (kernel, compute) in [("a convolution", convolution as fn(&Device) -> Tensor<4>), ("an attention", attention)] {
        let found = values(compute(device)).await?;
        compare(kernel, &found, &values(compute(&cpu)).await?)?;
    }
    Ok(())
}

async fn values(tensor: Tensor<4>) -> Result<Vec<f32>, TrialError> {
    Ok(tensor.into_data_async().await?.iter::<f32>().collect())
}

fn compare(kernel: &'static str, found: &[f32], expected: &[f32]) -> Result<(), TrialError> {
    // What is no number is near nothing.
    let is_near = |(found, expected): &(&f32, &f32)| (*found - *expected).abs() <= TOLERANCE * expected.abs().max(1.0);
    match found.iter().zip(expected).find(|pair| !is_near(pair)) {
        None => Ok(()),
        Some((&found, &expected)) => Err(TrialError::Wrong { kernel, found, expected }),
    }
}

/// Three by three pixels, behind a scale, a shift and SiLU.
fn convolution(device: &Device) -> Tensor<4> {
    let mut noise = NoiseSource::new(1);
    let [scale, shift] = [(); 2].map(|()| noise.normal([1, 8], device));
    let affine = Affine { scale, shift, gate: Gate::Silu };
    let conv = Convolution::new(noise.normal::<4>([8, 8, 3, 3], device) * 0.2, Some(noise.normal([8], device)));
    conv.after(affine).forward(noise.normal([2, 8, 8, 8], device))
}

/// One head of as many channels as those of our models.
fn attention(device: &Device) -> Tensor<4> {
    const DIM: usize = 32;
    let mut noise = NoiseSource::new(2);
    let block = Attention {
        heads: 1,
        head_dim: DIM,
        gain: noise.normal([8], device),
        qkv: noise.normal::<2>([8, 3 * DIM], device) * 0.3,
        out: noise.normal::<2>([DIM, 8], device) * 0.3,
        rotation: None,
        positions: None,
    };
    block.forward(noise.normal([2, 8, 1, 8], device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_results_are_told() {
        let right = [0.5, -200.0, 3.0];
        assert!(compare("a sum", &[0.5004, -200.5, 3.0], &right).is_ok());
        for wrong in [[0.6, -200.0, 3.0], [0.5, -210.0, 3.0], [0.5, -200.0, f32::NAN], [0.0; 3]] {
            let error = compare("a sum", &wrong, &right).unwrap_err().to_string();
            assert!(error.contains("wrong results") && error.contains("a sum"), "{error}");
        }
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn a_device_in_order_passes() {
        let Some(gpu) = crate::kernels::gpu::tests::gpu() else { return };
        pollster::block_on(trial(&gpu)).unwrap();
    }
}
