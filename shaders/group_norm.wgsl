// Group normalisation and what time and condition do to it, as a scale and a shift per sample and channel. A workgroup
// computes one group of one sample.

struct Info {
    pixels: u32,    // of all frames of a sample
    channels: u32,
    groups: u32,
    has_film: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;  // [samples, pixels, channels]
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;   // [channels]
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;   // [channels]
@group(0) @binding(3) var<storage, read_write> film: array<f32>;   // [samples, 2 channels], scale - 1 and shift
@group(0) @binding(4) var<storage, read_write> scale: array<f32>;  // [samples, channels]
@group(0) @binding(5) var<storage, read_write> shift: array<f32>;  // [samples, channels]
@group(0) @binding(6) var<uniform> info: Info;

const THREADS = 256u;

// Sums of values and of their squares.
var<workgroup> sums: array<vec2<f32>, THREADS>;

@compute @workgroup_size(THREADS, 1, 1)
fn main(@builtin(workgroup_id) place: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let group = place.x;
    let sample = place.y;
    let size = info.channels / info.groups;
    let first = sample * info.pixels * info.channels + group * size;
    var sum = vec2<f32>(0.0, 0.0);
    for (var index = thread; index < info.pixels * size; index += THREADS) {
        let value = input[first + index / size * info.channels + index % size];
        sum += vec2<f32>(value, value * value);
    }
    sums[thread] = sum;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            sums[thread] += sums[thread + half];
        }
        workgroupBarrier();
    }
    let count = f32(info.pixels * size);
    let mean = sums[0].x / count;
    let inverse = inverseSqrt(max(sums[0].y / count - mean * mean, 0.0) + info.epsilon);
    for (var index = thread; index < size; index += THREADS) {
        let channel = group * size + index;
        var by = inverse * gain[channel];
        var offset = bias[channel] - mean * by;
        if info.has_film == 1u {
            let row = sample * 2u * info.channels;
            let factor = film[row + channel] + 1.0;
            by *= factor;
            offset = offset * factor + film[row + info.channels + channel];
        }
        scale[sample * info.channels + channel] = by;
        shift[sample * info.channels + channel] = offset;
    }
}
