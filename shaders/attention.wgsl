// Softmax attention inside groups of tokens, of queries, keys and values that are projected already. An invocation is
// one query of one head; the workgroup walks over the keys together, a chunk at a time, and keeps its sums relative to
// the largest score so far.

struct Info {
    tokens: u32,
    inner: u32,
    heads: u32,
    is_turned: u32,
    has_positions: u32,
    factor: f32,     // of the scores
    by_head: u32,    // strides of the positions
    by_query: u32,
    by_key: u32,
}

@group(0) @binding(0) var<storage, read_write> projected: array<f32>;  // [outer, tokens, inner, 3, heads, DIM]
@group(0) @binding(1) var<storage, read_write> rotation: array<f32>;   // [tokens, DIM, DIM], of pairs of neighbours
@group(0) @binding(2) var<storage, read_write> positions: array<f32>;  // [heads, tokens, tokens]
@group(0) @binding(3) var<storage, read_write> heard: array<f32>;      // [outer, tokens, inner, heads, DIM]
@group(0) @binding(4) var<uniform> info: Info;

const DIM = {{ dim }}u;
const CHUNK = 16u;  // queries of a workgroup, and keys at a time

var<workgroup> keys: array<f32, CHUNK * DIM>;
var<workgroup> values: array<f32, CHUNK * DIM>;

// Element `d` of queries (0), keys (1) or values (2) begins here, less `d`.
fn begin(outer: u32, token: u32, inner: u32, part: u32, head: u32) -> u32 {
    return ((((outer * info.tokens + token) * info.inner + inner) * 3u + part) * info.heads + head) * DIM;
}

// Element `d` of a query or key, turned by its token.
fn turned(first: u32, token: u32, d: u32) -> f32 {
    if info.is_turned == 0u {
        return projected[first + d];
    }
    let pair = d / 2u * 2u;
    let matrix = token * DIM * DIM;
    return projected[first + pair] * rotation[matrix + pair * DIM + d]
        + projected[first + pair + 1u] * rotation[matrix + (pair + 1u) * DIM + d];
}

@compute @workgroup_size(CHUNK, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let outer = group.z;
    let inner = group.y;
    let head = group.x % info.heads;
    let token = group.x / info.heads * CHUNK + thread;
    let is_query = token < info.tokens;
    let asking = min(token, info.tokens - 1u);

    var query = array<f32, DIM>();
    let first = begin(outer, asking, inner, 0u, head);
    for (var d = 0u; d < DIM; d++) {
        query[d] = turned(first, asking, d) * info.factor;
    }
    var sums = array<f32, DIM>();
    var total = 0.0;
    var largest = -3.0e38;
    for (var chunk = 0u; chunk < info.tokens; chunk += CHUNK) {
        workgroupBarrier();
        let count = min(CHUNK, info.tokens - chunk);
        for (var index = thread; index < count * DIM; index += CHUNK) {
            let other = chunk + index / DIM;
            keys[index] = turned(begin(outer, other, inner, 1u, head), other, index % DIM);
            values[index] = projected[begin(outer, other, inner, 2u, head) + index % DIM];
        }
        workgroupBarrier();
        var scores = array<f32, CHUNK>();
        var most = largest;
        for (var key = 0u; key < count; key++) {
            var score = 0.0;
            for (var d = 0u; d < DIM; d++) {
                score += query[d] * keys[key * DIM + d];
            }
            if info.has_positions == 1u {
                score += positions[head * info.by_head + asking * info.by_query + (chunk + key) * info.by_key];
            }
            scores[key] = score;
            most = max(most, score);
        }
        let kept = exp(largest - most);
        largest = most;
        total *= kept;
        for (var d = 0u; d < DIM; d++) {
            sums[d] *= kept;
        }
        for (var key = 0u; key < count; key++) {
            let share = exp(scores[key] - largest);
            total += share;
            for (var d = 0u; d < DIM; d++) {
                sums[d] += share * values[key * DIM + d];
            }
        }
    }
    if is_query {
        let at = (((outer * info.tokens + token) * info.inner + inner) * info.heads + head) * DIM;
        for (var d = 0u; d < DIM; d++) {
            heard[at + d] = sums[d] / total;
        }
    }
}
