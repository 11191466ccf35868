//! What the CPU kernels share. They compute on slices in channels-last order and know nothing of tensors.
//!
//! The same source serves AVX-512, AVX2, NEON and WebAssembly: `pulp` picks the vectors when a kernel begins.

#[cfg(feature = "native")]
pub(super) mod gradient;
pub(super) mod math;
pub(super) mod product;
pub(super) mod tensors;

use pulp::{Arch, Simd, WithSimd};

/// `body` for each number of a tile's rows or columns, as a constant. Sums stay in registers only if none is found by
/// counting, and compilers do not unroll such loops at every level of optimisation.
macro_rules! unrolled {
    ($index:ident in $($number:literal)*, $body:block) => {
        $({
            const $index: usize = $number;
            $body
        })*
    };
    ($index:ident < $most:ident, $body:block) => {
        $crate::kernels::cpu::unrolled!($index < $most, $body, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($index:ident < $most:ident, $body:block, $($number:literal)*) => {
        $(if $number < $most {
            const $index: usize = $number;
            $body
        })*
    };
}
pub(in crate::kernels) use unrolled;

/// Runs `work` with the widest vectors that this processor has.
pub(super) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    Arch::new().dispatch(work)
}

/// Runs `work` on consecutive pieces of `out`, on all cores where there are threads.
pub(super) fn chunks(out: &mut [f32], length: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    #[cfg(feature = "native")]
    if out.len() > length {
        use rayon::prelude::*;
        out.par_chunks_mut(length).enumerate().for_each(|(index, out)| work(index, out));
        return;
    }
    out.chunks_mut(length).enumerate().for_each(|(index, out)| work(index, out));
}

/// [`chunks`] with a workspace, which pieces share that are worked on one after the other: memory that is asked for
/// anew has to be cleared, and to come into the caches.
pub(super) fn chunks_with<W>(
    out: &mut [f32],
    length: usize,
    workspace: impl Fn() -> W + Send + Sync,
    work: impl Fn(&mut W, usize, &mut [f32]) + Send + Sync,
) {
    #[cfg(feature = "native")]
    if out.len() > length {
        use rayon::prelude::*;
        let pieces = out.par_chunks_mut(length).enumerate();
        pieces.for_each_init(workspace, |workspace, (index, out)| work(workspace, index, out));
        return;
    }
    let mut workspace = workspace();
    out.chunks_mut(length).enumerate().for_each(|(index, out)| work(&mut workspace, index, out));
}

/// [`chunks`] of two slices, piece by piece.
#[cfg(feature = "native")]
pub(super) fn chunk_pairs(
    [first, second]: [&mut [f32]; 2],
    lengths: [usize; 2],
    work: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) {
    use rayon::prelude::*;
    let pairs = first.par_chunks_mut(lengths[0]).zip(second.par_chunks_mut(lengths[1]));
    pairs.enumerate().for_each(|(index, (first, second))| work(index, first, second));
}

/// The results of `work` for `0..count`, in this order, on all cores where there are threads.
pub(super) fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    #[cfg(feature = "native")]
    if count > 1 {
        use rayon::prelude::*;
        return (0..count).into_par_iter().map(&work).collect();
    }
    (0..count).map(work).collect()
}

/// One vector.
#[inline(always)]
pub(super) fn load<S: Simd>(_: S, x: &[f32]) -> S::f32s {
    S::as_simd_f32s(x).0[0]
}

/// One vector.
#[inline(always)]
pub(super) fn store<S: Simd>(_: S, out: &mut [f32], x: S::f32s) {
    S::as_mut_simd_f32s(out).0[0] = x;
}

/// `a * b + c`, in one rounding where the processor has it.
#[inline(always)]
pub(super) fn mul_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    {
        use bytemuck::cast;
        let _ = simd;
        cast(core::arch::wasm32::f32x4_relaxed_madd(cast(a), cast(b), cast(c)))
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    simd.mul_add_e_f32s(a, b, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_does_not_change_what_is_computed() {
        let mut out = [0.0; 100];
        chunks_with(&mut out, 7, Vec::new, |workspace: &mut Vec<usize>, index, out| {
            workspace.clear();
            workspace.push(index);
            out.fill(workspace.iter().sum::<usize>() as f32);
        });
        let expected: Vec<f32> = (0..100_u16).map(|place| f32::from(place / 7)).collect();
        assert_eq!(&out[..], expected);
    }
}
