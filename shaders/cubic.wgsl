// Flow or occlusion enlarged by cubics, for frames at the size of a photo. Of flow the displacements are enlarged; of
// occlusion comes how far the photo is trusted.

struct Info {
    elements: u32,     // of the output
    width: u32,        // invocations along the first axis of the launch
    rows: u32,
    columns: u32,
    height: u32,       // of the output
    across: u32,
    channels: u32,     // 2 of flow, 1 of occlusion
    none: f32,         // occlusion up to which the photo is not trusted
    all: f32,          // and from which it is trusted entirely
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;      // [frames, rows, columns, channels]
@group(0) @binding(1) var<storage, read_write> output: array<f32>;     // [frames, height, across, channels]
@group(0) @binding(2) var<uniform> info: Info;

struct Taps { first: i32, weights: vec4<f32> }

// Keys' cubic through four neighbours, which are the last ones again beyond the border.
fn taps(place: u32, outputs: u32, inputs: u32) -> Taps {
    let source = (f32(place) + 0.5) * f32(inputs) / f32(outputs) - 0.5;
    let low = floor(source);
    let near = vec2(source - low, 1.0 - (source - low));
    let far = near + 1.0;
    let inner = (1.5 * near - 2.5) * near * near + 1.0;
    let outer = ((-0.5 * far + 2.5) * far - 4.0) * far + 2.0;
    return Taps(i32(low) - 1, vec4(outer.x, inner.x, inner.y, outer.y));
}

fn tap(index: i32, count: u32) -> u32 {
    return u32(clamp(index, 0, i32(count) - 1));
}

// Where the centre of a cell lies, in [-1, 1].
fn centre(index: u32, count: u32) -> f32 {
    return f32(2u * index + 1u) / f32(count) - 1.0;
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.elements {
        return;
    }
    let is_flow = info.channels == 2u;
    let channel = index % info.channels;
    let column = index / info.channels % info.across;
    let row = index / (info.channels * info.across) % info.height;
    let frame = index / (info.channels * info.across * info.height);
    let down = taps(row, info.height, info.rows);
    let across = taps(column, info.across, info.columns);
    var sum = 0.0;
    for (var y = 0; y < 4; y = y + 1) {
        let cell_row = tap(down.first + y, info.rows);
        let start = (frame * info.rows + cell_row) * info.columns;
        var line = 0.0;
        for (var x = 0; x < 4; x = x + 1) {
            let cell_column = tap(across.first + x, info.columns);
            var value = input[(start + cell_column) * info.channels + channel];
            if is_flow {
                value = value - select(centre(cell_row, info.rows), centre(cell_column, info.columns), channel == 0u);
            }
            line = line + across.weights[x] * value;
        }
        sum = sum + down.weights[y] * line;
    }
    if is_flow {
        output[index] = sum + select(centre(row, info.height), centre(column, info.across), channel == 0u);
    } else {
        let trust = clamp((sum - info.none) / (info.all - info.none), 0.0, 1.0);
        output[index] = trust * trust * (3.0 - 2.0 * trust);
    }
}
