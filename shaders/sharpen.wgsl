// Occlusion enlarged to the size of a map and shifted, pixel by pixel, before it is squeezed into (0, 1) again.

struct Info {
    elements: u32,
    width: u32,        // invocations along the first axis of the launch
    height: u32,       // of the output
    across: u32,
    rows: u32,         // of the occlusion
    columns: u32,
    margin: f32,       // occlusion is kept this far from 0 and 1
}

@group(0) @binding(0) var<storage, read_write> occlusion: array<f32>;  // [frames, rows, columns]
@group(0) @binding(1) var<storage, read_write> shift: array<f32>;      // [frames, height, across]
@group(0) @binding(2) var<storage, read_write> output: array<f32>;     // like shift
@group(0) @binding(3) var<uniform> info: Info;

struct Axis { low: u32, high: u32, share: f32 }

// Half-pixel centres without anti-aliasing: PyTorch's interpolate(align_corners=False).
fn enlarge(place: u32, outputs: u32, inputs: u32) -> Axis {
    let source = max((f32(place) + 0.5) * f32(inputs) / f32(outputs) - 0.5, 0.0);
    let low = min(u32(source), inputs - 1u);
    return Axis(low, min(low + 1u, inputs - 1u), source - f32(low));
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    let frame = index / (info.height * info.across) * info.rows * info.columns;
    let down = enlarge(index / info.across % info.height, info.height, info.rows);
    let across = enlarge(index % info.across, info.across, info.columns);
    let upper = frame + down.low * info.columns;
    let lower = frame + down.high * info.columns;
    let enlarged = mix(
        mix(occlusion[upper + across.low], occlusion[upper + across.high], across.share),
        mix(occlusion[lower + across.low], occlusion[lower + across.high], across.share),
        down.share,
    );
    let share = clamp(enlarged, info.margin, 1.0 - info.margin);
    let logit = log(share) - log(1.0 - share) + shift[index];
    output[index] = 1.0 / (1.0 + exp(-logit));
}
