// Pictures as bytes, a word of red, green, blue and alpha per pixel. A pixel with a colour that is no finite number is
// transparent, all others are opaque.

struct Info {
    pixels: u32,       // of all pictures
    width: u32,        // invocations along the first axis of the launch
    area: u32,         // pixels of a picture
}

// As bits, which tell reliably what is no number.
@group(0) @binding(0) var<storage, read_write> pictures: array<u32>;   // [pictures, 3, area] of f32 in [0, 1]
@group(0) @binding(1) var<storage, read_write> output: array<u32>;     // [pictures, area]
@group(0) @binding(2) var<uniform> info: Info;

const EXPONENT: u32 = 0x7f800000u;

fn to_byte(bits: u32) -> u32 {
    return u32(clamp(bitcast<f32>(bits), 0.0, 1.0) * 255.0 + 0.5);
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let index = id.y * info.width + id.x;
    if index >= info.pixels {
        return;
    }
    let red = index / info.area * 3u * info.area + index % info.area;
    let bits = vec3(pictures[red], pictures[red + info.area], pictures[red + 2u * info.area]);
    if any((bits & vec3(EXPONENT)) == vec3(EXPONENT)) {
        output[index] = 0u;
        return;
    }
    output[index] = to_byte(bits.x) | (to_byte(bits.y) << 8u) | (to_byte(bits.z) << 16u) | 0xff000000u;
}
