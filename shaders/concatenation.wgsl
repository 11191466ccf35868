// Two maps as one: the channels of the first, then those of the second.

struct Info {
    elements: u32,  // of the output
    width: u32,     // invocations along the first axis of the launch
    first: u32,     // channels
    second: u32,
}

@group(0) @binding(0) var<storage, read_write> first: array<f32>;   // [pixels, first]
@group(0) @binding(1) var<storage, read_write> second: array<f32>;  // [pixels, second]
@group(0) @binding(2) var<storage, read_write> output: array<f32>;  // [pixels, first + second]
@group(0) @binding(3) var<uniform> info: Info;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    let channels = info.first + info.second;
    let pixel = index / channels;
    let channel = index % channels;
    if channel < info.first {
        output[index] = first[pixel * info.first + channel];
    } else {
        output[index] = second[pixel * info.second + channel - info.first];
    }
}
