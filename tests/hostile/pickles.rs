//! Pickles in PyTorch's older format: those that once filled the memory or hung, and random programs.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A file around the pickle of a checkpoint, with the storage `0` of no numbers.
fn file(checkpoint: &[u8]) -> Vec<u8> {
    let start = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\0\0\0little_endian\x88s.";
    [&start[..], checkpoint, b"\x80\x02]X\x01\0\0\x000a.", &[0; 8]].concat()
}

fn text(word: &str) -> Vec<u8> {
    [b"X".as_slice(), &(word.len() as u32).to_le_bytes(), word.as_bytes()].concat()
}

/// What once was too much, by name.
pub(super) fn known() -> Vec<(String, Vec<u8>)> {
    let mut itself = b"\x80\x02}q\0(".to_vec();
    let mut chain = b"\x80\x02}q\0".to_vec();
    for index in 0..100u8 {
        itself.extend([b'X', 1, 0, 0, 0, index, b'h', 0]);
        if index > 0 {
            chain.extend([b'}', b'q', index, b'(', b'X', 1, 0, 0, 0, b'a', b'h', index - 1]);
            chain.extend([b'X', 1, 0, 0, 0, b'b', b'h', index - 1, b'u']);
        }
    }
    itself.extend(b"u.");
    chain.push(b'.');
    let nested = |begin: &[u8], end: &[u8]| {
        let mut pickle = b"\x80\x02".to_vec();
        (0..200_000).for_each(|_| pickle.extend(begin));
        (0..200_000).for_each(|_| pickle.extend(end));
        pickle.push(b'.');
        pickle
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a dict that contains itself", itself),
        ("dicts that contain each other twice", chain),
        ("lists in lists", nested(b"]", b"a")),
        ("tuples in tuples", nested(b")", b"\x85")),
        ("many marks", nested(b"(", b"t")),
        ("an empty tensor of 2^62 rows", tensor(&[1 << 62, 0, 8, 8])),
        ("a tensor of 2^62 rows", tensor(&[1 << 62, 4])),
        ("a tensor of 64 axes", tensor(&[2; 64])),
        ("a tensor of 5000 axes", tensor(&[1; 5000])),
        ("a string of 4 GB", [b"\x80\x02X".as_slice(), &u32::MAX.to_le_bytes(), b"ab."].concat()),
        ("a memo far away", b"\x80\x02Nr\xff\xff\xff\xff.".to_vec()),
        ("nothing", Vec::new()),
    ];
    cases.into_iter().map(|(name, pickle)| (name.to_owned(), file(&pickle))).collect()
}

/// A dict with one tensor, whose storage is empty.
fn tensor(sizes: &[u64]) -> Vec<u8> {
    let number = |value: u64| [b"\x8a\x09".as_slice(), &value.to_le_bytes(), b"\0"].concat();
    let mut pickle = b"\x80\x02}".to_vec();
    pickle.extend(text("w"));
    pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle.extend(text("storage"));
    pickle.extend(b"ctorch\nFloatStorage\n");
    pickle.extend([text("0"), text("cpu")].concat());
    pickle.extend(b"K\0NtQK\0(");
    pickle.extend(sizes.iter().flat_map(|&size| number(size)));
    pickle.extend(b"t(");
    pickle.extend(number(1).repeat(sizes.len()));
    pickle.extend(b"t\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

/// A program of words that the machine knows.
pub(super) fn random(seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let words: Vec<Vec<u8>> = [
        b"(".as_slice(),
        b"}",
        b"]",
        b")",
        b"N",
        b"\x88",
        b"t",
        b"\x85",
        b"\x86",
        b"\x87",
        b"a",
        b"e",
        b"s",
        b"u",
        b"R",
        b"b",
        b"Q",
        b"q\0",
        b"q\x01",
        b"h\0",
        b"h\x01",
        b"K\x07",
        b"J\xff\xff\xff\x7f",
        b"\x8a\x01\x80",
        b"\x93",
        b"\x94",
        b"ctorch\nFloatStorage\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ccollections\nOrderedDict\n",
        b"cos\nsystem\n",
        b"G\x7f\xf0\0\0\0\0\0\0",
    ]
    .iter()
    .map(|word| word.to_vec())
    .chain([text("storage"), text("0"), text("cpu"), text("generator"), text("")])
    .collect();
    let mut pickle = b"\x80\x02".to_vec();
    for _ in 0..rng.next_u32() % 60 {
        pickle.extend(&words[rng.next_u32() as usize % words.len()]);
    }
    pickle.push(b'.');
    file(&pickle)
}
