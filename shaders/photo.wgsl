// A photo moved, painted where it cannot be trusted, and faded into itself at rest toward its border. One invocation is
// one pixel of one frame.

struct Info {
    height: u32,        // of the photo
    width: u32,
    rows: u32,          // of the places
    columns: u32,
    mask_rows: u32,     // of the trust
    mask_columns: u32,
    painted_rows: u32,  // of what the decoder painted
    painted_columns: u32,
}

@group(0) @binding(0) var<storage, read_write> photo: array<f32>;      // [3, height, width]
@group(0) @binding(1) var<storage, read_write> feather: array<f32>;    // [height, width]
@group(0) @binding(2) var<storage, read_write> places: array<f32>;     // [frames, rows, columns, 2], xy
@group(0) @binding(3) var<storage, read_write> trust: array<f32>;      // [frames, mask_rows, mask_columns]
@group(0) @binding(4) var<storage, read_write> painted: array<f32>;    // [frames, 3, painted_rows, painted_columns]
@group(0) @binding(5) var<storage, read_write> output: array<f32>;     // [frames, 3, height, width]
@group(0) @binding(6) var<uniform> info: Info;

struct Axis { low: u32, high: u32, share: f32 }
struct Corners { at: vec4<u32>, weights: vec4<f32> }
struct Taps { at: vec4<u32>, weights: vec4<f32> }

// Half-pixel centres without anti-aliasing: PyTorch's interpolate(align_corners=False).
fn enlarge(place: u32, outputs: u32, inputs: u32) -> Axis {
    let source = max((f32(place) + 0.5) * f32(inputs) / f32(outputs) - 0.5, 0.0);
    let low = min(u32(source), inputs - 1u);
    return Axis(low, min(low + 1u, inputs - 1u), source - f32(low));
}

fn bilinear(share: vec2<f32>) -> vec4<f32> {
    let rest = 1.0 - share;
    return vec4(rest.y * rest.x, rest.y * share.x, share.y * rest.x, share.y * share.x);
}

// The four cells of a grid that a pixel is interpolated from.
fn corners(id: vec2<u32>, rows: u32, columns: u32) -> Corners {
    let across = enlarge(id.x, info.width, columns);
    let down = enlarge(id.y, info.height, rows);
    let at = vec4(
        down.low * columns + across.low,
        down.low * columns + across.high,
        down.high * columns + across.low,
        down.high * columns + across.high,
    );
    return Corners(at, bilinear(vec2(across.share, down.share)));
}

// Keys' cubic through four neighbours, which are the last ones again beyond the border.
fn taps(place: u32, outputs: u32, inputs: u32) -> Taps {
    let source = (f32(place) + 0.5) * f32(inputs) / f32(outputs) - 0.5;
    let low = floor(source);
    let near = vec2(source - low, 1.0 - (source - low));
    let far = near + 1.0;
    let inner = (1.5 * near - 2.5) * near * near + 1.0;
    let outer = ((-0.5 * far + 2.5) * far - 4.0) * far + 2.0;
    let at = clamp(vec4(i32(low)) + vec4(-1, 0, 1, 2), vec4(0), vec4(i32(inputs) - 1));
    return Taps(vec4<u32>(at), vec4(outer.x, inner.x, inner.y, outer.y));
}

@compute @workgroup_size({{ side }}, {{ side }}, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= info.width || id.y >= info.height {
        return;
    }
    let frame = id.z;
    let cells = corners(id.xy, info.rows, info.columns);
    let masks = corners(id.xy, info.mask_rows, info.mask_columns);
    var place = vec2(0.0);
    var trusted = 0.0;
    for (var i = 0; i < 4; i = i + 1) {
        let cell = frame * info.rows * info.columns + cells.at[i];
        place = place + cells.weights[i] * vec2(places[2u * cell], places[2u * cell + 1u]);
        trusted = trusted + masks.weights[i] * trust[frame * info.mask_rows * info.mask_columns + masks.at[i]];
    }

    // Beyond the centres of the outermost cells displacements go on.
    let size = vec2(f32(info.width), f32(info.height));
    let grid = vec2(f32(info.columns), f32(info.rows));
    let here = (vec2<f32>(id.xy) + 0.5) * grid / size - 0.5;
    place = place + (here - clamp(here, vec2(0.0), grid - 1.0)) * 2.0 / grid;

    place = clamp(((place + 1.0) * size - 1.0) * 0.5, vec2(0.0), size - 1.0);
    let low = vec2<u32>(place);
    let high = min(low + 1u, vec2(info.width, info.height) - 1u);
    let weights = bilinear(place - vec2<f32>(low));
    let neighbours = vec4(
        low.y * info.width + low.x,
        low.y * info.width + high.x,
        high.y * info.width + low.x,
        high.y * info.width + high.x,
    );
    let down = taps(id.y, info.height, info.painted_rows);
    let across = taps(id.x, info.width, info.painted_columns);
    let pixel = id.y * info.width + id.x;
    let area = info.height * info.width;
    let inside = feather[pixel];
    for (var channel = 0u; channel < 3u; channel = channel + 1u) {
        var moved = 0.0;
        for (var i = 0; i < 4; i = i + 1) {
            moved = moved + weights[i] * photo[channel * area + neighbours[i]];
        }
        var paint = 0.0;
        for (var y = 0; y < 4; y = y + 1) {
            let start = ((frame * 3u + channel) * info.painted_rows + down.at[y]) * info.painted_columns;
            var line = 0.0;
            for (var x = 0; x < 4; x = x + 1) {
                line = line + across.weights[x] * painted[start + across.at[x]];
            }
            paint = paint + down.weights[y] * line;
        }
        let still = photo[channel * area + pixel];
        let shown = moved * trusted + paint * (1.0 - trusted);
        output[(frame * 3u + channel) * area + pixel] = clamp((shown - still) * inside + still, 0.0, 1.0);
    }
}
