// Rows confined to a quantile of their magnitudes. Magnitudes in single precision are in the order of their bits, so
// the one of a rank is found digit by digit, the highest first, by counting how many have which digit. A workgroup has
// one row.

struct Info {
    length: u32,
    rank: u32,       // of the value below the quantile
    fraction: f32,   // of the one above
    bound: f32,
}

@group(0) @binding(0) var<storage, read_write> input: array<f32>;   // [rows, length]
@group(0) @binding(1) var<storage, read_write> output: array<f32>;  // like input
@group(0) @binding(2) var<uniform> info: Info;

const THREADS = 256u;
const DIGITS = 2048u;
const SHARE = DIGITS / THREADS;  // digits that an invocation sums

var<workgroup> counts: array<atomic<u32>, DIGITS>;
var<workgroup> totals: array<u32, THREADS>;
var<workgroup> digit: u32;
var<workgroup> rank: u32;
var<workgroup> alike: u32;          // values with the bits found so far
var<workgroup> above: atomic<u32>;  // the smallest of the larger ones

fn bits(row: u32, index: u32) -> u32 {
    return bitcast<u32>(abs(input[row * info.length + index]));
}

@compute @workgroup_size(THREADS, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = group.x;
    var found = 0u;
    var known = 31u;
    var shift = 21u;
    if thread == 0u {
        rank = info.rank;
        atomicStore(&above, 0x7f7fffffu);
    }
    for (var round = 0u; round < 3u; round++) {
        for (var index = thread; index < DIGITS; index += THREADS) {
            atomicStore(&counts[index], 0u);
        }
        workgroupBarrier();
        for (var index = thread; index < info.length; index += THREADS) {
            let value = bits(row, index);
            if (value >> known) == (found >> known) {
                atomicAdd(&counts[(value >> shift) & (DIGITS - 1u)], 1u);
            }
        }
        workgroupBarrier();
        var total = 0u;
        for (var index = 0u; index < SHARE; index++) {
            total += atomicLoad(&counts[thread * SHARE + index]);
        }
        totals[thread] = total;
        workgroupBarrier();
        if thread == 0u {
            var left = rank;
            var block = 0u;
            while block < THREADS - 1u && left >= totals[block] {
                left -= totals[block];
                block++;
            }
            var at = block * SHARE;
            while at < DIGITS - 1u && left >= atomicLoad(&counts[at]) {
                left -= atomicLoad(&counts[at]);
                at++;
            }
            digit = at;
            rank = left;
            alike = atomicLoad(&counts[at]);
        }
        workgroupBarrier();
        found |= workgroupUniformLoad(&digit) << shift;
        // 11 bits, 11 bits and the last 10.
        known = shift;
        shift = select(0u, 10u, round == 0u);
    }
    for (var index = thread; index < info.length; index += THREADS) {
        let value = bits(row, index);
        if value > found {
            atomicMin(&above, value);
        }
    }
    workgroupBarrier();
    let here = bitcast<f32>(found);
    // Among equals the next is the same.
    let next = select(bitcast<f32>(atomicLoad(&above)), here, rank + 1u < alike);
    let quantile = select(here + (next - here) * info.fraction, here, info.fraction == 0.0);
    let limit = max(quantile, info.bound);
    for (var index = thread; index < info.length; index += THREADS) {
        let at = row * info.length + index;
        output[at] = clamp(input[at] / limit, -1.0, 1.0) * info.bound;
    }
}
