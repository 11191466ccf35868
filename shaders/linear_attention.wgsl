// Linear attention over the positions of a frame, of queries, keys and values that are projected already. A workgroup
// computes one head of one frame: first what all positions say together, then what each of them hears.

struct Info {
    positions: u32,
    heads: u32,
}

@group(0) @binding(0) var<storage, read_write> projected: array<f32>;  // [frames, positions, 3, heads, DIM]
@group(0) @binding(1) var<storage, read_write> heard: array<f32>;      // [frames, positions, heads, DIM]
@group(0) @binding(2) var<uniform> info: Info;

const DIM = {{ dim }}u;
const THREADS = 128u;
const CHUNK = 16u;  // positions at a time
const ENTRIES = (DIM * DIM + THREADS - 1u) / THREADS;

var<workgroup> largest: array<f32, DIM>;
var<workgroup> keys: array<f32, CHUNK * DIM>;
var<workgroup> values: array<f32, CHUNK * DIM>;
// Of each pair of channels of keys and values.
var<workgroup> context: array<f32, DIM * DIM>;

// Element `d` of queries (0), keys (1) or values (2) of a position begins here, less `d`.
fn begin(frame: u32, position: u32, part: u32, head: u32) -> u32 {
    return (((frame * info.positions + position) * 3u + part) * info.heads + head) * DIM;
}

@compute @workgroup_size(THREADS, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let head = group.x;
    let frame = group.y;

    // The largest key of each channel: the exponents stay small.
    for (var d = thread; d < DIM; d += THREADS) {
        var most = -3.0e38;
        for (var position = 0u; position < info.positions; position++) {
            most = max(most, projected[begin(frame, position, 1u, head) + d]);
        }
        largest[d] = most;
    }
    var sums = array<f32, ENTRIES>();
    var totals = array<f32, ENTRIES>();
    for (var chunk = 0u; chunk < info.positions; chunk += CHUNK) {
        workgroupBarrier();
        let count = min(CHUNK, info.positions - chunk);
        for (var index = thread; index < count * DIM; index += THREADS) {
            let position = chunk + index / DIM;
            let d = index % DIM;
            keys[index] = exp(projected[begin(frame, position, 1u, head) + d] - largest[d]);
            values[index] = projected[begin(frame, position, 2u, head) + d];
        }
        workgroupBarrier();
        for (var entry = 0u; entry < ENTRIES; entry++) {
            let index = min(entry * THREADS + thread, DIM * DIM - 1u);
            var sum = 0.0;
            var total = 0.0;
            for (var position = 0u; position < count; position++) {
                let key = keys[position * DIM + index / DIM];
                total += key;
                sum += key * values[position * DIM + index % DIM];
            }
            sums[entry] += sum;
            totals[entry] += total;
        }
    }
    for (var entry = 0u; entry < ENTRIES; entry++) {
        let index = entry * THREADS + thread;
        if index < DIM * DIM {
            context[index] = sums[entry] / (totals[entry] * sqrt(f32(DIM)));
        }
    }
    workgroupBarrier();
    for (var position = thread; position < info.positions; position += THREADS) {
        let first = begin(frame, position, 0u, head);
        var query = array<f32, DIM>();
        var most = -3.0e38;
        for (var d = 0u; d < DIM; d++) {
            query[d] = projected[first + d];
            most = max(most, query[d]);
        }
        var total = 0.0;
        for (var d = 0u; d < DIM; d++) {
            query[d] = exp(query[d] - most);
            total += query[d];
        }
        let at = ((frame * info.positions + position) * info.heads + head) * DIM;
        for (var e = 0u; e < DIM; e++) {
            var sum = 0.0;
            for (var d = 0u; d < DIM; d++) {
                sum += query[d] * context[d * DIM + e];
            }
            heard[at + e] = sum / total;
        }
    }
}
