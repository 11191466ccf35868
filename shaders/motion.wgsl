// Motion from the wavelets that are diffused: every cell becomes two by two, from its mean and half the differences of
// its columns, rows and diagonals. An invocation is one cell of one frame's motion.

struct Info {
    frames: u32,
    rows: u32,      // of the wavelets
    columns: u32,
    elements: u32,  // cells of all frames' motion
    width: u32,     // invocations along the first axis of the launch
}

@group(0) @binding(0) var<storage, read_write> wavelets: array<f32>;   // [12, frames, rows, columns]
@group(0) @binding(1) var<storage, read_write> mean: array<f32>;       // [12, rows, columns]
@group(0) @binding(2) var<storage, read_write> deviation: array<f32>;  // [12]
@group(0) @binding(3) var<storage, read_write> flow: array<f32>;       // [frames, 2 rows, 2 columns, 2], xy
@group(0) @binding(4) var<storage, read_write> occlusion: array<f32>;  // [frames, 1, 2 rows, 2 columns]
@group(0) @binding(5) var<uniform> info: Info;

// A wavelet in units of the motion.
fn band(channel: u32, frame: u32, cell: u32) -> f32 {
    let area = info.rows * info.columns;
    let x = wavelets[(channel * info.frames + frame) * area + cell];
    return x * deviation[channel] + mean[channel * area + cell];
}

// A plane whose bands are `planes` channels apart, `signs` telling left from right and top from bottom.
fn plane(first: u32, planes: u32, frame: u32, cell: u32, signs: vec2<f32>) -> f32 {
    let slope = band(first + planes, frame, cell) + signs.y * band(first + 3u * planes, frame, cell);
    return band(first, frame, cell) + signs.y * band(first + 2u * planes, frame, cell) + signs.x * slope;
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    let across = 2u * info.columns;
    let x = index % across;
    let y = index / across % (2u * info.rows);
    let frame = index / (across * 2u * info.rows);
    let cell = y / 2u * info.columns + x / 2u;
    let signs = vec2<f32>(1.0 - 2.0 * f32(x % 2u), 1.0 - 2.0 * f32(y % 2u));
    flow[2u * index] = plane(0u, 2u, frame, cell, signs);
    flow[2u * index + 1u] = plane(1u, 2u, frame, cell, signs);
    occlusion[index] = clamp(plane(8u, 1u, frame, cell, signs), 0.0, 1.0);
}
