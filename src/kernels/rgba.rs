//! Pictures read from a device as bytes.

use burn::tensor::{ExecutionError, Tensor, TensorData, Transaction};

use crate::portrait::planar_to_rgba;

/// Reads batches of pictures at once, each picture as `height * width * 4` bytes, opaque; `None` if a value is not
/// finite.
///
/// A GPU rounds them before they travel, which makes a third of the bytes.
///
/// # Shapes
/// - a batch: `[pictures, 3, height, width]`; values outside `[0, 1]` are clamped
///
/// # Errors
/// Of the device.
pub async fn read_rgba(batches: Vec<Tensor<4>>) -> Result<Option<Vec<Vec<Vec<u8>>>>, ExecutionError> {
    #[cfg(feature = "gpu")]
    if let Some(packed) = batches.iter().map(pack).collect::<Option<Vec<_>>>() {
        let areas = packed.iter().map(|words| words.dims()[1] * words.dims()[2]).collect::<Vec<_>>();
        let read = packed.into_iter().fold(Transaction::default(), Transaction::register).execute_async().await?;
        return Ok(areas.into_iter().zip(&read).map(|(area, words)| unpack(words, area)).collect());
    }
    twin(batches).await
}

/// [`read_rgba`], rounded where they arrive.
///
/// # Shapes, errors
/// - as [`read_rgba`]
pub async fn twin(batches: Vec<Tensor<4>>) -> Result<Option<Vec<Vec<Vec<u8>>>>, ExecutionError> {
    let areas = batches.iter().map(|batch| batch.dims()[2] * batch.dims()[3]).collect::<Vec<_>>();
    let read = batches.into_iter().fold(Transaction::default(), Transaction::register).execute_async().await?;
    let rounded = |(area, data): (usize, TensorData)| {
        let values: Vec<f32> = data.iter().collect();
        let pictures = || values.chunks_exact(3 * area).map(planar_to_rgba).collect();
        values.iter().all(|value| value.is_finite()).then(pictures)
    };
    Ok(areas.into_iter().zip(read).map(rounded).collect())
}

/// A word per pixel, by `shaders/rgba.wgsl`, if the pictures are on a WebGPU device.
#[cfg(feature = "gpu")]
pub(crate) fn pack(pictures: &Tensor<4>) -> Option<Tensor<3, burn::tensor::Int>> {
    use crate::kernels::gpu::{Shader, contiguous, elementwise, empty_words};
    use burn_wgpu::CubeBackend;

    let [count, _, height, width] = pictures.dims();
    let pictures = contiguous(pictures)?;
    let output = empty_words(&pictures, [count, height, width]);
    let pixels = count * height * width;
    let (workgroups, invocations) = elementwise(pixels);
    let info = [pixels as u32, invocations, (height * width) as u32];
    let shader = Shader { name: "rgba", source: include_str!("../../shaders/rgba.wgsl"), numbers: Vec::new() };
    shader.launch(workgroups, &[&pictures, &output], &info);
    Some(Tensor::from_primitive::<CubeBackend>(output))
}

/// Pictures of so many pixels, unless one of these is transparent.
#[cfg(feature = "gpu")]
fn unpack(words: &TensorData, area: usize) -> Option<Vec<Vec<u8>>> {
    let bytes = words.as_bytes();
    let is_opaque = bytes.iter().skip(3).step_by(4).all(|&alpha| alpha != 0);
    is_opaque.then(|| bytes.chunks_exact(4 * area).map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn what_is_no_number_is_told() {
        let device = Device::flex();
        let pictures = |value: f32| Tensor::<4>::full([2, 3, 1, 2], value, &device);
        let read = |batches| pollster::block_on(read_rgba(batches)).unwrap();
        let expected = [[[255, 255, 255, 255, 255, 255, 255, 255]; 2], [[128, 128, 128, 255, 128, 128, 128, 255]; 2]];
        assert_eq!(read(vec![pictures(7.0), pictures(0.5)]).unwrap(), expected);
        assert_eq!(read(vec![pictures(0.5), pictures(f32::NAN)]), None);
        assert_eq!(read(vec![pictures(f32::INFINITY)]), None);
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn kernel_and_twin_agree_on_the_gpu() {
        use crate::kernels::gpu::tests::{gpu, on};
        use crate::noise::NoiseSource;

        let Some(gpu) = gpu() else { return };
        let cpu = Device::flex();
        let mut noise = NoiseSource::new(28);
        let batches: Vec<Tensor<4>> =
            [[1, 3, 2, 5], [3, 3, 17, 24]].map(|shape| noise.normal(shape, &cpu) * 0.7 + 0.5).into();
        let found = pollster::block_on(read_rgba(batches.iter().map(|batch| on(&gpu, batch)).collect())).unwrap();
        let expected = pollster::block_on(twin(batches)).unwrap();
        let bytes = |read: Option<Vec<Vec<Vec<u8>>>>| -> Vec<u8> { read.unwrap().concat().concat() };
        let (found, expected) = (bytes(found), bytes(expected));
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(&found, expected)| found.abs_diff(expected) <= 1));

        for value in [f32::NAN, f32::NEG_INFINITY] {
            let one = Tensor::<4>::full([1, 1, 1, 1], value, &cpu);
            let batch = Tensor::cat(vec![Tensor::zeros([1, 2, 1, 1], &cpu), one], 1);
            assert_eq!(pollster::block_on(read_rgba(vec![on(&gpu, &batch)])).unwrap(), None);
        }
    }
}
