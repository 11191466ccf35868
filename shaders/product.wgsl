// Convolutions and projections of maps as one product of matrices: a row is a pixel of the output, a column one of its
// channels. A workgroup computes a tile, from tiles of both factors in its memory. Rows of the left factor are gathered
// as they are read, so nothing is unfolded.

struct Info {
    rows: u32,
    columns: u32,
    channels: u32,
    samples: u32,          // of the affine
    images: u32,
    height: u32,           // of the input, once spread
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_down: u32,
    stride_across: u32,
    pad_top: u32,
    pad_left: u32,
    spread: u32,           // of the input: 0 none, 1 pixels twice, 2 zeros between pixels
    weight_column: u32,    // from one weight to that of the next column
    weight_channel: u32,
    weight_tap: u32,
    has_bias: u32,
    residuals: u32,        // images of the residual, 0 without
    affine: u32,           // 0 nothing, 1 of the input, 2 of the residual, 3 layer norm with `scale` as gain
    gate: u32,             // of the affine: 0 rectifier, 1 SiLU
    activation: u32,       // of the output: 0 nothing, 1 rectifier
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;     // [images, height, width, channels]
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;      // [columns]
@group(0) @binding(3) var<storage, read_write> residual: array<f32>;  // [residuals, out_height, out_width, columns]
@group(0) @binding(4) var<storage, read_write> scale: array<f32>;     // [samples, channels or columns]
@group(0) @binding(5) var<storage, read_write> shift: array<f32>;     // like scale
@group(0) @binding(6) var<storage, read_write> output: array<f32>;    // [images, out_height, out_width, columns]
@group(0) @binding(7) var<uniform> info: Info;

const ROWS = {{ rows }}u;        // of a tile
const COLUMNS = {{ columns }}u;
const DEPTH = 16u;               // of what is summed in one go
const ACROSS = COLUMNS / 4u;     // invocations along a row: each computes four by four
const THREADS = ROWS / 4u * ACROSS;

var<workgroup> left: array<vec4<f32>, DEPTH * ROWS / 4u>;
var<workgroup> right: array<vec4<f32>, DEPTH * COLUMNS / 4u>;
// Of each row of the tile: its image (-1 beyond the end), and the first line and pixel that its kernel sees.
var<workgroup> places: array<vec3<i32>, ROWS>;
// Mean and inverse deviation of each row, for the layer norm.
var<workgroup> norms: array<vec2<f32>, ROWS>;

fn gated(x: f32) -> f32 {
    return select(max(x, 0.0), x / (1.0 + exp(-x)), info.gate == 1u);
}

fn place(row: u32) -> vec3<i32> {
    if row >= info.rows {
        return vec3<i32>(-1, 0, 0);
    }
    let pixel = row % (info.out_height * info.out_width);
    return vec3<i32>(
        i32(row / (info.out_height * info.out_width)),
        i32(pixel / info.out_width * info.stride_down) - i32(info.pad_top),
        i32(pixel % info.out_width * info.stride_across) - i32(info.pad_left),
    );
}

// What the layer norm needs of a row; only products of single pixels have one.
fn norm(row: u32) -> vec2<f32> {
    if row >= info.rows {
        return vec2<f32>(0.0, 0.0);
    }
    let begin = row * info.channels;
    var sum = 0.0;
    for (var channel = 0u; channel < info.channels; channel++) {
        sum += input[begin + channel];
    }
    let mean = sum / f32(info.channels);
    var squares = 0.0;
    for (var channel = 0u; channel < info.channels; channel++) {
        let difference = input[begin + channel] - mean;
        squares += difference * difference;
    }
    return vec2<f32>(mean, inverseSqrt(squares / f32(info.channels) + info.epsilon));
}

// What the kernel's place `tap` sees of `channel` from a row of the tile; zero around the map.
fn seen(row: u32, tap: vec2<u32>, channel: u32) -> f32 {
    let from_place = places[row];
    let y = from_place.y + i32(tap.y);
    let x = from_place.z + i32(tap.x);
    if from_place.x < 0 || channel >= info.channels || y < 0 || x < 0 || y >= i32(info.height) || x >= i32(info.width) {
        return 0.0;
    }
    if info.spread == 2u && ((y | x) & 1) == 1 {
        return 0.0;
    }
    let image = u32(from_place.x);
    let halvings = min(info.spread, 1u);
    let line = image * ((info.height + halvings) >> halvings) + (u32(y) >> halvings);
    let pixel = line * ((info.width + halvings) >> halvings) + (u32(x) >> halvings);
    let value = input[pixel * info.channels + channel];
    if info.affine == 1u {
        let at = image * info.samples / info.images * info.channels + channel;
        return gated(value * scale[at] + shift[at]);
    }
    if info.affine == 3u {
        return (value - norms[row].x) * norms[row].y * scale[channel];
    }
    return value;
}

fn weight_of(column: u32, tap: u32, channel: u32) -> f32 {
    if column >= info.columns || channel >= info.channels {
        return 0.0;
    }
    return weight[column * info.weight_column + tap * info.weight_tap + channel * info.weight_channel];
}

// Writes four neighbouring outputs of a row.
fn finish(row: u32, column: u32, sums: vec4<f32>) {
    if row >= info.rows {
        return;
    }
    let pixels = info.out_height * info.out_width;
    let image = row / pixels;
    for (var index = 0u; index < min(4u, info.columns - min(column, info.columns)); index++) {
        let n = column + index;
        var value = sums[index];
        if info.has_bias == 1u {
            value += bias[n];
        }
        if info.residuals > 0u {
            let from_image = image * info.residuals / info.images;
            var added = residual[(from_image * pixels + row % pixels) * info.columns + n];
            if info.affine == 2u {
                let at = image * info.samples / info.images * info.columns + n;
                added = gated(added * scale[at] + shift[at]);
            }
            value += added;
        }
        if info.activation == 1u {
            value = max(value, 0.0);
        }
        output[row * info.columns + n] = value;
    }
}

@compute @workgroup_size(THREADS, 1, 1)
fn main(@builtin(workgroup_id) tile: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let first_row = tile.y * ROWS;
    let first_column = tile.x * COLUMNS;
    for (var row = thread; row < ROWS; row += THREADS) {
        places[row] = place(first_row + row);
        if info.affine == 3u {
            norms[row] = norm(first_row + row);
        }
    }
    let down = thread / ACROSS;
    let across = thread % ACROSS;
    // Not an array: one that is indexed by a variable may lie in memory instead of registers.
    var first = vec4<f32>();
    var second = vec4<f32>();
    var third = vec4<f32>();
    var fourth = vec4<f32>();
    let taps = info.kernel_height * info.kernel_width;
    for (var tap = 0u; tap < taps; tap++) {
        let kernel_place = vec2<u32>(tap % info.kernel_width, tap / info.kernel_width);
        // A transposed convolution has its kernel backwards.
        let weight_place = select(tap, taps - 1u - tap, info.spread == 2u);
        for (var begin = 0u; begin < info.channels; begin += DEPTH) {
            workgroupBarrier();
            for (var index = thread; index < DEPTH * ROWS / 4u; index += THREADS) {
                let row = index / DEPTH * 4u;
                let channel = begin + index % DEPTH;
                var four = vec4<f32>();
                for (var i = 0u; i < 4u; i++) {
                    four[i] = seen(row + i, kernel_place, channel);
                }
                left[index % DEPTH * (ROWS / 4u) + index / DEPTH] = four;
            }
            for (var index = thread; index < DEPTH * ACROSS; index += THREADS) {
                let column = first_column + index % ACROSS * 4u;
                let channel = begin + index / ACROSS;
                var four = vec4<f32>();
                for (var i = 0u; i < 4u; i++) {
                    four[i] = weight_of(column + i, weight_place, channel);
                }
                right[index] = four;
            }
            workgroupBarrier();
            for (var k = 0u; k < DEPTH; k++) {
                let x = left[k * (ROWS / 4u) + down];
                let w = right[k * ACROSS + across];
                first += x.x * w;
                second += x.y * w;
                third += x.z * w;
                fourth += x.w * w;
            }
        }
    }
    let row = first_row + down * 4u;
    let column = first_column + across * 4u;
    for (var i = 0u; i < 4u; i++) {
        finish(row + i, column, select(select(first, second, i == 1u), select(third, fourth, i == 3u), i > 1u));
    }
}
