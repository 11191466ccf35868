// The output of a denoiser extrapolated away from another one, each channel by a gain of its own.

struct Info {
    elements: u32,
    width: u32,     // invocations along the first axis of the launch
    plane: u32,     // elements of a channel
    channels: u32,
    gains: array<vec4<f32>, 8>,
}

@group(0) @binding(0) var<storage, read_write> conditional: array<f32>;  // [batch, channels, plane]
@group(0) @binding(1) var<storage, read_write> contrast: array<f32>;     // like conditional
@group(0) @binding(2) var<storage, read_write> output: array<f32>;       // like conditional
@group(0) @binding(3) var<uniform> info: Info;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    let channel = index / info.plane % info.channels;
    let here = conditional[index];
    output[index] = here + (here - contrast[index]) * info.gains[channel / 4u][channel % 4u];
}
