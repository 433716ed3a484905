//! The kernels by registers of every width that this processor has.

use super::*;
use pulp::{Simd, WithSimd};

/// `(2·I + Σ weight·rowᵀ·row) x = Σ weight·row`, by registers of one width.
struct System<'a> {
    table: &'a [f32],
    picks: &'a [(u32, f32)],
    stride: usize,
}

impl WithSimd for System<'_> {
    type Output = Vec<f32>;

    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { table, picks, stride } = self;
        let (mut rows, mut coefficients) = (vec![0.0; picks.len() * stride], vec![0.0; picks.len()]);
        let (mut matrix, mut turned) = (vec![0.0; stride * stride], vec![0.0; stride * TURNS]);
        let mut right = vec![0.0; stride];
        Gather {
            table,
            picks,
            stride,
            rows: &mut rows,
            coefficients: &mut coefficients,
        }
        .with_simd(simd);
        Observe {
            rows: &rows,
            coefficients: &coefficients,
            stride,
            matrix: &mut matrix,
            turned: &mut turned,
            right: &mut right,
        }
        .with_simd(simd);
        Settle {
            turned: &turned,
            stride,
            matrix: &mut matrix,
        }
        .with_simd(simd);
        (0..stride).for_each(|index| matrix[index * (stride + 1)] += 2.0);
        let size = stride;
        let whole = Factorise {
            matrix: &mut matrix,
            stride,
            size,
        };
        assert!(whole.with_simd(simd));
        Solve {
            factor: &matrix,
            stride,
            size,
            right: &mut right,
        }
        .with_simd(simd);
        right
    }
}

#[test]
fn registers_of_every_width_give_the_same_solution() {
    for stride in [16, 64, 144] {
        let table: Vec<f32> = (0..40 * stride)
            .map(|at| ((at * at + 3) % 17) as f32 / 17.0 - 0.5)
            .collect();
        let picks: Vec<(u32, f32)> = (0..70).map(|at| (at * 7 % 40, 0.25 + (at % 3) as f32)).collect();
        let system = || System {
            table: &table,
            picks: &picks,
            stride,
        };
        let plain = Simd::vectorize(pulp::Scalar::new(), system());
        let mut others = vec![Arch::new().dispatch(system())];
        #[cfg(target_arch = "x86_64")]
        others.extend(pulp::x86::V3::try_new().map(|simd| Simd::vectorize(simd, system())));
        for other in others {
            let far = |(one, other): (&f32, &f32)| (one - other).abs() > 1e-3;
            assert!(
                !plain.iter().zip(&other).any(far),
                "{stride}: {plain:?} is not {other:?}"
            );
        }
    }
}
