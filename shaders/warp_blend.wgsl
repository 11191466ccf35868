// One decoder blend in one pass: enlarge flow and occlusion from their grids, sample the reference there, mix
// with what the decoder painted. One invocation is one pixel of one frame and walks over its channels, so the
// geometry is computed once per pixel.

@group(0) @binding(0) var<storage, read_write> image: array<f32>;      // [1 or frames, height, width, channels]
@group(0) @binding(1) var<storage, read_write> flow: array<f32>;       // [frames, grid_height, grid_width, 2], xy
@group(0) @binding(2) var<storage, read_write> occlusion: array<f32>;  // [frames, 1, mask_height, mask_width]
@group(0) @binding(3) var<storage, read_write> painted: array<f32>;    // like output, or a single zero
@group(0) @binding(4) var<storage, read_write> output: array<f32>;     // [frames, height, width, channels]
@group(0) @binding(5) var<uniform> info: Info;

struct Info {
    images: u32,
    channels: u32,
    height: u32,
    width: u32,
    rows: u32,          // of the flow's grid
    columns: u32,
    mask_rows: u32,     // of the occlusion's
    mask_columns: u32,
    is_painted: u32,
    is_displaced: u32,
}

struct Axis { low: u32, high: u32, share: f32 }
struct Corners { at: vec4<u32>, weights: vec4<f32> }

// Half-pixel centres without anti-aliasing: PyTorch's interpolate(align_corners=False).
fn enlarge(place: u32, outputs: u32, inputs: u32) -> Axis {
    let source = max((f32(place) + 0.5) * f32(inputs) / f32(outputs) - 0.5, 0.0);
    let low = min(u32(source), inputs - 1u);
    return Axis(low, min(low + 1u, inputs - 1u), source - f32(low));
}

// The four cells of a grid that a pixel is interpolated from.
fn corners(id: vec2<u32>, height: u32, width: u32, rows: u32, columns: u32) -> Corners {
    let across = enlarge(id.x, width, columns);
    let down = enlarge(id.y, height, rows);
    let at = vec4<u32>(
        down.low * columns + across.low,
        down.low * columns + across.high,
        down.high * columns + across.low,
        down.high * columns + across.high,
    );
    let weights = vec4<f32>(
        (1.0 - down.share) * (1.0 - across.share),
        (1.0 - down.share) * across.share,
        down.share * (1.0 - across.share),
        down.share * across.share,
    );
    return Corners(at, weights);
}

// Where a pixel's channels begin, and whether it lies in the image.
struct Neighbour { at: u32, inside: f32 }

fn neighbour(image_index: u32, x: i32, y: i32, size: vec2<u32>, channels: u32) -> Neighbour {
    if x < 0 || y < 0 || x >= i32(size.x) || y >= i32(size.y) {
        return Neighbour(0u, 0.0);
    }
    return Neighbour(((image_index * size.y + u32(y)) * size.x + u32(x)) * channels, 1.0);
}

@compute @workgroup_size({{ side }}, {{ side }}, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let images = info.images;
    let channels = info.channels;
    let height = info.height;
    let width = info.width;
    let rows = info.rows;
    let columns = info.columns;
    let mask_rows = info.mask_rows;
    let mask_columns = info.mask_columns;
    let is_painted = info.is_painted == 1u;
    let is_displaced = info.is_displaced == 1u;
    if id.x >= width || id.y >= height {
        return;
    }
    let frame = id.z;

    let cells = corners(id.xy, height, width, rows, columns);
    let masks = corners(id.xy, height, width, mask_rows, mask_columns);
    var from_reference = vec2<f32>(0.0, 0.0);
    var trust = 0.0;
    for (var i = 0u; i < 4u; i = i + 1u) {
        let cell = frame * rows * columns + cells.at[i];
        from_reference = from_reference + cells.weights[i] * vec2<f32>(flow[2u * cell], flow[2u * cell + 1u]);
        trust = trust + masks.weights[i] * occlusion[frame * mask_rows * mask_columns + masks.at[i]];
    }

    // Beyond the centres of the outermost cells places stand still, displacements go on.
    let size = vec2<f32>(f32(width), f32(height));
    if is_displaced {
        let grid = vec2<f32>(f32(columns), f32(rows));
        let cell = (vec2<f32>(id.xy) + 0.5) * grid / size - 0.5;
        from_reference = from_reference + (cell - clamp(cell, vec2<f32>(0.0), grid - 1.0)) * 2.0 / grid;
    }

    var place = ((from_reference + 1.0) * size - 1.0) * 0.5;
    if is_displaced {
        place = clamp(place, vec2<f32>(0.0), size - 1.0);
    }
    let low = floor(place);
    let share = place - low;
    let x = i32(low.x);
    let y = i32(low.y);
    let source = min(frame, images - 1u);
    let size_in_pixels = vec2<u32>(width, height);
    let top_left = neighbour(source, x, y, size_in_pixels, channels);
    let top_right = neighbour(source, x + 1, y, size_in_pixels, channels);
    let bottom_left = neighbour(source, x, y + 1, size_in_pixels, channels);
    let bottom_right = neighbour(source, x + 1, y + 1, size_in_pixels, channels);
    let here = ((frame * height + id.y) * width + id.x) * channels;
    for (var channel = 0u; channel < channels; channel = channel + 1u) {
        let top = mix(
            image[top_left.at + channel] * top_left.inside,
            image[top_right.at + channel] * top_right.inside,
            share.x,
        );
        let bottom = mix(
            image[bottom_left.at + channel] * bottom_left.inside,
            image[bottom_right.at + channel] * bottom_right.inside,
            share.x,
        );
        var mixed = mix(top, bottom, share.y) * trust;
        if is_painted {
            mixed = mixed + painted[here + channel] * (1.0 - trust);
        }
        output[here + channel] = mixed;
    }
}
