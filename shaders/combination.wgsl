// A weighted sum of up to six tensors of one shape.

struct Info {
    elements: u32,
    width: u32,  // invocations along the first axis of the launch
    terms: u32,
    factors: array<vec4<f32>, 2>,
}

@group(0) @binding(0) var<storage, read_write> first: array<f32>;
@group(0) @binding(1) var<storage, read_write> second: array<f32>;
@group(0) @binding(2) var<storage, read_write> third: array<f32>;
@group(0) @binding(3) var<storage, read_write> fourth: array<f32>;
@group(0) @binding(4) var<storage, read_write> fifth: array<f32>;
@group(0) @binding(5) var<storage, read_write> sixth: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;
@group(0) @binding(7) var<uniform> info: Info;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    var sum = first[index] * info.factors[0].x;
    if info.terms > 1u { sum += second[index] * info.factors[0].y; }
    if info.terms > 2u { sum += third[index] * info.factors[0].z; }
    if info.terms > 3u { sum += fourth[index] * info.factors[0].w; }
    if info.terms > 4u { sum += fifth[index] * info.factors[1].x; }
    if info.terms > 5u { sum += sixth[index] * info.factors[1].y; }
    output[index] = sum;
}
