// A scale and a shift per sample and channel, what follows them, and a residual.

struct Info {
    elements: u32,
    channels: u32,
    sample: u32,         // elements of a sample
    gate: u32,           // 0 rectifier, 1 SiLU
    has_residual: u32,
    width: u32,          // invocations along the first axis of the launch
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;     // [samples, pixels, channels]
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;     // [samples, channels]
@group(0) @binding(2) var<storage, read_write> shift: array<f32>;     // [samples, channels]
@group(0) @binding(3) var<storage, read_write> residual: array<f32>;  // like input
@group(0) @binding(4) var<storage, read_write> output: array<f32>;    // like input
@group(0) @binding(5) var<uniform> info: Info;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    let at = index / info.sample * info.channels + index % info.channels;
    let x = input[index] * scale[at] + shift[at];
    var value = select(max(x, 0.0), x / (1.0 + exp(-x)), info.gate == 1u);
    if info.has_residual == 1u {
        value += residual[index];
    }
    output[index] = value;
}
